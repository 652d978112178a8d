import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeMemory } from '../fakes/fake-memory.ts';
import { fakeModel } from '../fakes/fake-models.ts';
import { launchChromium, SKIP_REASON } from './chromium.ts';
import { openPage, runApp, settled, tabTo } from './page-fixture.ts';

if (SKIP_REASON !== null) console.log(SKIP_REASON);

const SCREENS = 'test/e2e/__screens__';
const GIB = 1024 ** 3;
const LOAD_STEPS = 10;

interface Box {
  readonly x: number;
  readonly width: number;
}

describe.skipIf(SKIP_REASON !== null)('the Overview', () => {
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(SCREENS, { recursive: true });
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
  const chip = (page: Page, id: string) => page.getByRole('button', { name: new RegExp(`^Load ${id} `) });
  const card = (page: Page, id: string) => page.getByRole('article', { name: id });
  const segment = (page: Page, label: string) => button(page, new RegExp(`^${label} \\d`));
  /** Where something is drawn once nothing on the page moves any more. */
  async function boxOf(page: Page, selector: ReturnType<Page['getByRole']>): Promise<Box> {
    await settled(page);
    const box = await selector.boundingBox();
    if (box === null) throw new Error('is not drawn');
    return box;
  }
  /** Places of the segments in GiB from the left of a bar of 36. */
  async function places(page: Page, labels: readonly string[]): Promise<readonly (readonly number[])[]> {
    const bar = await boxOf(page, page.getByRole('toolbar', { name: /^Memory/ }));
    const inGib = (pixels: number) => (36 * pixels) / bar.width;
    const boxes = await Promise.all(labels.map((label) => boxOf(page, segment(page, label))));
    return boxes.map(({ x, width }) => [inGib(x - bar.x), inGib(width)]);
  }

  it('is what the page begins with', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page, server } = fixture;
    await page.goto(`${server.url}/`);
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    const views = await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allTextContents();
    expect(views[0]).toBe('Overview');
  });

  it('draws the whole memory to scale, one segment beside the other', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page, complaints } = fixture;
    const drawn = await places(page, ['System', 'mistral', 'llama', 'qwen-coder']);
    const expected = [
      [0, 6.9],
      [6.9, 7],
      [13.9, 5],
      [18.9, 5],
    ];
    for (const [index, [start = 0, width = 0]] of expected.entries()) {
      // A pixel is 0.04 GiB here.
      expect(Math.abs((drawn[index]?.[0] ?? -1) - start)).toBeLessThan(0.12);
      expect(Math.abs((drawn[index]?.[1] ?? -1) - width)).toBeLessThan(0.12);
    }
    await page.getByText('budget 24.0 GiB').waitFor();
    expect(complaints).toEqual([]);
  });

  it('says what prefix caches take on disk, and nothing where they are off', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page, api } = fixture;
    await page.getByText('prefix cache on disk 120 MiB of 2.0 GiB').waitFor();
    api.changeMemory({ prefixCache: { bytes: 0, limitBytes: 2 * GIB } });
    await page.getByText('prefix cache on disk 0 B of 2.0 GiB').waitFor();
    api.changeMemory({ prefixCache: null });
    await page.getByText('prefix cache').waitFor({ state: 'detached' });
  });

  it('says of each segment what was predicted and what was measured, by line', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page } = fixture;
    const tip = page.getByRole('tooltip');
    await segment(page, 'mistral').hover();
    await tip.getByRole('row', { name: 'weights 4.9 GiB 5.0 GiB' }).waitFor();
    await tip.getByRole('row', { name: 'total 6.9 GiB 7.0 GiB' }).waitFor();
    await segment(page, 'qwen-coder').hover();
    await tip.getByRole('row', { name: 'total 5.0 GiB –' }).waitFor();
    // It can be moved onto, and goes with Escape.
    await tip.hover();
    await tip.getByText('qwen-coder').waitFor();
    await page.keyboard.press('Escape');
    await tip.waitFor({ state: 'detached' });
  });

  it('can be read by keyboard alone', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page } = fixture;
    const tip = page.getByRole('tooltip');
    await tabTo(page, 'System 6.9 GiB, the system and other programs');
    await tip.getByText('Held by the system').waitFor();
    await page.keyboard.press('ArrowRight');
    await tip.getByText('mistral').waitFor();
    await page.keyboard.press('End');
    await tip.getByText('Promised to engines').waitFor();
    await page.keyboard.press('Escape');
    await tip.waitFor({ state: 'detached' });
    // One stop for the bar, the next is the first card.
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe('Pin mistral');
    await tabTo(page, 'Load phi 2.4 GiB');
    await page.getByTestId('ghost').waitFor();
    await page.keyboard.press('Enter');
    await runApp(fixture.clock, LOAD_STEPS);
    await card(page, 'phi').filter({ hasText: 'idle' }).waitFor();
    // The button is gone; what it loaded has the focus.
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe('phi');
  });

  it('shows where a model would go before it is loaded', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page, clock } = fixture;
    const ghost = page.getByTestId('ghost');
    await chip(page, 'phi').hover();
    await ghost.filter({ hasText: 'phi' }).waitFor();
    await page.getByText(/phi needs 2\.6 GiB, .* fits/).waitFor();
    expect(await page.locator('[data-leaves=true]').count()).toBe(0);
    const bar = await boxOf(page, page.getByRole('toolbar', { name: /^Memory/ }));
    const margin = await boxOf(page, segment(page, 'Margin'));
    const box = await boxOf(page, ghost);
    expect(Math.abs(box.x - (margin.x + margin.width))).toBeLessThan(2);
    expect(Math.abs(box.width / bar.width - 2.64 / 36)).toBeLessThan(0.003);

    await chip(page, 'phi').click();
    await ghost.waitFor({ state: 'detached' });
    await segment(page, 'phi').waitFor();
    await runApp(clock, LOAD_STEPS);
    await button(page, /^phi 2\.4 GiB, measured/).waitFor();
    await page.getByText('Loaded phi in 1.2 s').waitFor();
  });

  it('fades what would be unloaded, and asks again when that changes', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page, api } = fixture;
    api.changeMemory({ budgetBytes: 20.6 * GIB });
    await chip(page, 'phi').hover();
    await page.getByTestId('ghost').waitFor();
    await button(page, /^llama .* would be unloaded$/).waitFor();
    await page.getByText(/would unload llama \(5\.3 GiB, idle 4 m, back in 1\.4 s\)/).waitFor();
    const [mistral, qwen, llama] = await places(page, ['mistral', 'qwen-coder', 'llama']);
    // What stays closes up; what goes stands where the ghost does.
    expect(qwen?.[0]).toBeCloseTo((mistral?.[0] ?? 0) + (mistral?.[1] ?? 0), 0);
    expect(llama?.[0]).toBeGreaterThan(qwen?.[0] ?? 99);
    api.changeModel('llama', { activeRequests: 1 });
    await page.getByText(/phi needs .* it would wait/).waitFor();
    expect(await page.locator('[data-leaves=true]').count()).toBe(0);
    await page.mouse.move(0, 0);
    await page.getByTestId('ghost').waitFor({ state: 'detached' });
  });

  it('says in words when memory is short, and nothing when it is not', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page, api } = fixture;
    const status = page.getByRole('status', { name: 'Memory warnings' });
    expect(await status.textContent()).toBe('');
    api.changeMemory({ pressure: 'warn', availableBytes: 1.2 * GIB });
    await status.getByText('Memory pressure. 1.2 GiB available. Idle models are unloaded').waitFor();
    api.changeMemory({ pressure: 'critical', availableBytes: 0.3 * GIB, overrunBytes: 0.5 * GIB });
    await status.getByText('Critical memory pressure. 307 MiB available.').waitFor();
    await status.getByText('Over the budget. Engines hold 512 MiB more than 24.0 GiB.').waitFor();
    await page.getByText('512 MiB over the budget').waitFor();
    api.changeMemory({ pressure: 'normal', overrunBytes: 0 });
    await expect.poll(() => status.textContent()).toBe('');
  });

  it('has a card for each engine: progress, figures, countdown, pin, cancel', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page, clock } = fixture;
    await card(page, 'mistral')
      .filter({ hasText: '7.0 GiB (6.9 said)' })
      .filter({ hasText: '1 queued' })
      .waitFor();
    await card(page, 'llama').filter({ hasText: 'unloads in 6 m' }).waitFor();
    await card(page, 'qwen-coder').filter({ hasText: '62 % · 912 ms left' }).waitFor();
    await card(page, 'qwen-coder').filter({ hasText: 'took 2.4 s last time' }).waitFor();
    await page.getByText('A stall is free').waitFor();

    await button(page, 'Pin llama').click();
    await card(page, 'llama').filter({ hasText: 'stays loaded' }).waitFor();
    expect(await button(page, 'Pin llama').getAttribute('aria-pressed')).toBe('true');
    await button(page, 'Unload llama').click();
    await runApp(clock, 1);
    await card(page, 'llama').waitFor({ state: 'detached' });
    await chip(page, 'llama').waitFor();
  });

  it('draws how fast an engine was, once it has answered', async () => {
    const idle = { state: { status: 'ready', sinceMs: 0 }, memory: fakeMemory(4, 4) } as const;
    await using fixture = await openPage(browser, { route: 'overview', models: [fakeModel('m', idle)] });
    const { page, api } = fixture;
    await card(page, 'm').getByText('no requests yet').waitFor();
    api.changeModel('m', { activeRequests: 1, lastTokensPerSecond: 41, lastFirstTokenMs: 46 });
    await card(page, 'm')
      .getByRole('img', { name: 'Speed over the last minute, at most 41 tok/s' })
      .waitFor();
  });

  it('says inline why a load was refused', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page } = fixture;
    await chip(page, 'storyteller').click();
    await page.getByRole('alert').filter({ hasText: 'storyteller.gguf is not there' }).waitFor();
    await button(page, 'Dismiss the error of storyteller').click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });

  it('moves nothing where motion is unwanted', async () => {
    await using fixture = await openPage(browser, {
      route: 'overview',
      context: { reducedMotion: 'reduce' },
    });
    const { page } = fixture;
    await chip(page, 'phi').hover();
    await page.getByTestId('ghost').waitFor();
    const durations = await page.evaluate<string[]>(
      '[...document.querySelectorAll("*")].flatMap((element) => { const style = getComputedStyle(element); return [style.transitionDuration, style.animationDuration]; })',
    );
    expect(new Set(durations)).toEqual(new Set(['1e-05s']));
  });

  it.each(['light', 'dark'] as const)('is kept as a picture, in %s', async (colorScheme) => {
    await using fixture = await openPage(browser, { route: 'overview', context: { colorScheme } });
    const { page, api } = fixture;
    const shoot = async (name: string) => {
      await settled(page);
      await page.screenshot({ path: `${SCREENS}/${name}-${colorScheme}.png` });
    };
    await card(page, 'mistral').waitFor();
    // A minute in which mistral answers and llama has answered.
    await page.clock.install();
    await page.reload();
    await card(page, 'mistral').waitFor();
    for (let second = 0; second < 55; second += 1) {
      const speed = 34 + 6 * Math.sin(second / 3) + 3 * Math.sin(second * 1.7);
      api.changeModel('mistral', { lastTokensPerSecond: speed });
      if (second < 20) api.changeModel('llama', { lastTokensPerSecond: 63 + Math.sin(second * 2) });
      await page.clock.runFor(1_000);
    }
    await page.clock.runFor(400);
    await shoot('overview');
    api.changeMemory({ budgetBytes: 20.6 * GIB });
    await chip(page, 'phi').hover();
    await page.clock.runFor(400);
    await page.getByTestId('ghost').waitFor();
    await page.clock.runFor(400);
    await shoot('overview-ghost');
  });
});
