import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RoundhouseError } from '../../src/shared/errors.ts';
import { fakeRequests } from '../fakes/fake-requests.ts';
import { launchChromium, SKIP_REASON } from './chromium.ts';
import { openPage, type PageOptions, problemsOf, tabTo } from './page-fixture.ts';
import { shoot } from './screens.ts';

if (SKIP_REASON !== null) console.log(SKIP_REASON);

const ROW_PX = 34;

describe.skipIf(SKIP_REASON !== null)('Requests', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const open = (options: PageOptions = {}) => openPage(browser, { route: 'requests', ...options });
  const grid = (page: Page) => page.getByRole('grid', { name: 'Requests' });
  const rows = (page: Page) => grid(page).locator('tbody').getByRole('row');
  const panel = (page: Page) => page.getByRole('region', { name: 'Request' });
  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
  /** Chooses `value` in the menu `filter`. */
  async function choose(page: Page, filter: string, value: string) {
    await page.getByRole('combobox', { name: filter }).click();
    await page.getByRole('option', { name: value, exact: true }).click();
  }

  it('lists them with who asked, where they went, how long they took and what they cost', async () => {
    await using fixture = await open();
    const { page, complaints } = fixture;
    await rows(page).filter({ hasText: 'auto → mistral' }).filter({ hasText: 'ada' }).first().waitFor();
    await rows(page).filter({ hasText: 'provider_rate_limited' }).first().waitFor();
    // What has no known price never looks free.
    await rows(page).filter({ hasText: 'qwen-72b' }).filter({ hasText: 'price not known' }).first().waitFor();
    await page
      .getByRole('img', { name: /^queue .* load .* prefill .* answer / })
      .first()
      .waitFor();
    expect(await page.title()).toBe('Requests · Roundhouse');
    expect(complaints).toEqual([]);
  });

  it('shows one as a waterfall, with its route in words, each try, tokens, cost and text', async () => {
    await using fixture = await open();
    const { page } = fixture;
    await rows(page).filter({ hasText: '2 tries' }).first().click();
    await panel(page).getByText('fallback: gpt-mini answered 502, llama is next').waitFor();
    const stages = panel(page).getByRole('table', { name: 'Where the time went' }).getByRole('row');
    const names = (await stages.allTextContents()).map((text) => text.replace(/[\d.]+ m?s$/, ''));
    expect(names.filter((name) => name !== 'queue')).toEqual([
      'prefill',
      'first token',
      'answer',
      'to first token',
      'total',
    ]);
    await panel(page)
      .getByRole('listitem')
      .filter({ hasText: 'gpt-mini' })
      .getByText('provider_error')
      .waitFor();
    await panel(page).getByText('runs here, costs nothing').waitFor();
    await panel(page).getByText('Write a tweet about our new release').waitFor();

    await rows(page).filter({ hasText: 'gpt-mini' }).first().click();
    await panel(page).getByText('openai/gpt-4.1-mini@2025-04-14').waitFor();
    await button(page, 'Close').click();
    await panel(page).waitFor({ state: 'detached' });
  });

  it('says that texts are not kept, and what keeps them', async () => {
    await using fixture = await open({ keepsTexts: false });
    const { page } = fixture;
    await rows(page).first().click();
    await panel(page).getByText('logging.content: true').waitFor();
  });

  it('takes in requests as they end, at the top; further down they wait', async () => {
    await using fixture = await open();
    const { page, api } = fixture;
    await rows(page).first().waitFor();
    api.endRequests(1, { asked: 'brand-new' });
    await rows(page).first().filter({ hasText: 'brand-new' }).waitFor();

    await grid(page).hover();
    await page.mouse.wheel(0, 40 * ROW_PX);
    await expect.poll(() => rows(page).first().textContent()).not.toContain('brand-new');
    const seen = await rows(page).allTextContents();
    api.endRequests(3, { asked: 'newer-still' });
    await button(page, '3 new requests').waitFor();
    expect(await rows(page).allTextContents()).toEqual(seen);
    await button(page, '3 new requests').click();
    await rows(page).first().filter({ hasText: 'newer-still' }).waitFor();
    await button(page, '3 new requests').waitFor({ state: 'detached' });
  });

  it('scrolls through ten thousand with no more than a screenful in the page', async () => {
    await using fixture = await open({ requests: fakeRequests(10_000, Date.now()) });
    const { page } = fixture;
    await rows(page).first().waitFor();
    await page.evaluate(`
      window.mostRows = 0;
      new MutationObserver(() => {
        window.mostRows = Math.max(window.mostRows, document.querySelectorAll('[role=grid] tbody tr').length);
      }).observe(document.querySelector('[role=grid]'), { childList: true, subtree: true });
    `);
    await grid(page).focus();
    const all = page.getByText('10,000 requests in all.');
    while (!(await all.isVisible())) {
      await page.keyboard.press('End');
      await expect.poll(() => grid(page).getAttribute('data-older')).not.toBe('loading');
    }
    await page.keyboard.press('End');
    expect(await grid(page).getAttribute('aria-rowcount')).toBe('10001');
    await grid(page).locator('[aria-rowindex="10001"]').waitFor();
    await page.keyboard.press('Home');
    await grid(page).locator('[aria-rowindex="2"]').waitFor();
    for (let turns = 0; turns < 20; turns += 1) await page.mouse.wheel(0, 3_000);
    const most = await page.evaluate<number>('window.mostRows');
    const height = (await grid(page).boundingBox())?.height ?? 0;
    expect(most).toBeGreaterThan(10);
    // A screenful, and what is kept ready above and below.
    expect(most).toBeLessThan(height / ROW_PX + 24);
  });

  it('narrows the list, and says so when nothing is left', async () => {
    await using fixture = await open();
    const { page } = fixture;
    await rows(page).first().waitFor();
    await choose(page, 'Model', 'sonnet');
    await expect
      .poll(async () => new Set(await rows(page).locator('td:nth-child(3)').allTextContents()))
      .toEqual(new Set(['tier:high → sonnet', 'sonnet']));
    await choose(page, 'Status', 'failed');
    await rows(page).filter({ hasText: 'tier:high' }).first().waitFor({ state: 'detached' });
    await choose(page, 'User', 'linus');
    await page.getByRole('heading', { name: 'No request is like this' }).waitFor();
    await page
      .getByRole('region', { name: 'Requests' })
      .getByRole('button', { name: 'Clear filters' })
      .click();
    await rows(page).filter({ hasText: 'auto → mistral' }).first().waitFor();
  });

  it('says how to ask while there are none', async () => {
    await using fixture = await open({ requests: [], server: { url: 'http://10.0.0.7:4141' } });
    await fixture.page.getByText('curl http://10.0.0.7:4141/v1/chat/completions').waitFor();
    fixture.api.endRequests(1);
    await rows(fixture.page).first().waitFor();
  });

  it('says why there is no list, and tries again', async () => {
    await using fixture = await open({ route: 'overview' });
    const { page, api } = fixture;
    api.refuse(
      'usage.requests',
      new RoundhouseError('internal_error', 'The database is locked by another app.'),
    );
    await page.getByRole('link', { name: 'Requests' }).click();
    await page.getByRole('alert').filter({ hasText: 'The database is locked' }).waitFor();
    api.refuse('usage.requests', null);
    await button(page, 'Try again').click();
    await rows(page).first().waitFor();
  });

  it('can be used by keyboard alone', async () => {
    await using fixture = await open();
    const { page } = fixture;
    await rows(page).first().waitFor();
    await tabTo(page, 'Status');
    await page.keyboard.press('Enter');
    await page.keyboard.type('fai');
    await page.keyboard.press('Enter');
    // What is left comes from the app: a new list begins at its top, wherever the old one was.
    const others = rows(page).locator('td:nth-child(2) [role=img]:not([aria-label="failed"])');
    await expect.poll(() => others.count()).toBe(0);
    await rows(page).first().waitFor();
    await tabTo(page, 'Clear filters');
    await tabTo(page, 'Requests');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const third = await grid(page).locator('[aria-rowindex="4"]').getAttribute('id');
    await expect.poll(() => grid(page).getAttribute('aria-activedescendant')).toBe(third);
    await page.keyboard.press('Enter');
    await panel(page).getByText('came').waitFor();
    const first = await panel(page).textContent();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => panel(page).textContent()).not.toBe(first);
    await page.keyboard.press('Escape');
    await panel(page).waitFor({ state: 'detached' });
  });

  it.each([480, 720, 1000])('can be read in a window %i px wide', async (width) => {
    await using fixture = await open({ context: { viewport: { width, height: 700 } } });
    const { page } = fixture;
    await rows(page).first().waitFor();
    expect(await page.evaluate('document.querySelector("main").scrollWidth')).toBeLessThanOrEqual(width);
    const tooWide = await page.locator('tbody td').evaluateAll((cells) =>
      cells
        .filter((cell) => cell.getClientRects().length > 0 && !cell.classList.contains('truncate'))
        .filter((cell) => cell.scrollWidth > cell.clientWidth + 1)
        .map((cell) => cell.textContent),
    );
    expect(tooWide).toEqual([]);
    await rows(page).nth(3).click();
    await panel(page).getByText('came').waitFor();
    const box = await panel(page).boundingBox();
    expect(box?.x).toBeGreaterThan(0);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
  });

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    it('has nothing for axe to find: the list, a menu, the details, nothing at all', async () => {
      await using fixture = await open({ context: { colorScheme } });
      const { page } = fixture;
      await rows(page).first().waitFor();
      expect(await problemsOf(page)).toEqual([]);
      await shoot(page, `requests-${colorScheme}`);
      await page.getByRole('combobox', { name: 'Provider' }).click();
      await page.getByRole('option', { name: 'mac-studio' }).waitFor();
      expect(await problemsOf(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await rows(page).filter({ hasText: '2 tries' }).first().click();
      await panel(page).getByText('Write a tweet').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      await shoot(page, `requests-detail-${colorScheme}`);
    });

    it('has nothing for axe to find while there is nothing, and when it fails', async () => {
      await using fixture = await open({ context: { colorScheme }, requests: [] });
      const { page, api } = fixture;
      await page.getByText('No requests yet').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      await shoot(page, `requests-empty-${colorScheme}`);
      api.refuse('usage.requests', new RoundhouseError('internal_error', 'The database is locked.'));
      await choose(page, 'Status', 'failed');
      await page.getByRole('alert').waitFor();
      expect(await problemsOf(page)).toEqual([]);
    });
  });
});
