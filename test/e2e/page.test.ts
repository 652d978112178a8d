import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANNED_ANSWER } from '../fakes/fake-app.ts';
import { launchChromium, SKIP_REASON } from './chromium.ts';
import { openPage, runApp, tabTo } from './page-fixture.ts';

if (SKIP_REASON !== null) console.log(SKIP_REASON);

const LOAD_STEPS = 10;

describe.skipIf(SKIP_REASON !== null)('the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const row = (page: Page, id: string) => page.getByRole('row', { name: id });

  it('lists each model with its state in words, its memory and what is wrong with it', async () => {
    await using fixture = await openPage(browser);
    const { page, complaints } = fixture;
    await row(page, 'mistral').filter({ hasText: '2 active' }).filter({ hasText: '7.0 GiB' }).waitFor();
    await row(page, 'llama').filter({ hasText: 'unloads in 6 m' }).waitFor();
    await row(page, 'qwen-coder').filter({ hasText: 'loading 62 %' }).waitFor();
    await row(page, 'phi').filter({ hasText: 'on disk' }).waitFor();
    await row(page, 'storyteller').filter({ hasText: 'cannot load' }).waitFor();
    await page.getByText('The file /models/storyteller.gguf is not there.').waitFor();
    expect(await page.title()).toBe('Models · Roundhouse');
    expect(complaints).toEqual([]);
  });

  it.each([400, 500, 600])('can be read in a window %i px wide', async (width) => {
    await using fixture = await openPage(browser, { context: { viewport: { width, height: 800 } } });
    const { page } = fixture;
    // Nothing leaves its cell or the window, and each name has room.
    const cells = await page.locator('tbody :is(th, td)').evaluateAll((all) =>
      all
        .filter((cell) => cell.getClientRects().length > 0)
        .map((cell) => {
          const { left, right, top, bottom } = cell.getBoundingClientRect();
          return { left, right, top, bottom, tooWide: cell.scrollWidth > cell.clientWidth + 1 };
        }),
    );
    expect(cells.length).toBeGreaterThan(20);
    for (const [index, cell] of cells.entries()) {
      expect(cell).toMatchObject({ tooWide: false });
      expect(cell.right).toBeLessThanOrEqual(width);
      for (const other of cells.slice(index + 1)) {
        const beside = cell.right <= other.left + 0.5 || other.right <= cell.left + 0.5;
        const stacked = cell.bottom <= other.top + 0.5 || other.bottom <= cell.top + 0.5;
        expect(beside || stacked).toBe(true);
      }
    }
    for (const id of ['mistral', 'qwen-coder', 'storyteller']) {
      const box = await page.getByRole('rowheader').filter({ hasText: id }).boundingBox();
      expect(box?.width).toBeGreaterThan(150);
    }
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    expect(await page.evaluate('document.querySelector("main").scrollWidth')).toBeLessThanOrEqual(width - 56);
  });

  it('loads a model, showing how far it is, and unloads it again', async () => {
    await using fixture = await openPage(browser);
    const { page, clock } = fixture;
    await button(page, 'Load phi').click();
    await row(page, 'phi').filter({ hasText: 'loading 0 %' }).waitFor();
    await runApp(clock, 4);
    await row(page, 'phi').filter({ hasText: 'loading 40 %' }).waitFor();
    await runApp(clock, LOAD_STEPS - 4);
    await row(page, 'phi').filter({ hasText: 'idle' }).waitFor();

    await button(page, 'Unload phi').click();
    await row(page, 'phi').filter({ hasText: 'unloading' }).waitFor();
    await runApp(clock, 1);
    await row(page, 'phi').filter({ hasText: 'on disk' }).waitFor();
    await button(page, 'Load phi').waitFor();
  });

  it('cancels a load', async () => {
    await using fixture = await openPage(browser);
    const { page, clock } = fixture;
    await button(page, 'Load phi').click();
    await button(page, 'Cancel loading phi').click();
    await row(page, 'phi').filter({ hasText: 'unloading' }).waitFor();
    // One move passes both the step of the load and the end of the process.
    await runApp(clock, 1);
    await button(page, 'Load phi').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('takes a double click on Load for one press', async () => {
    await using fixture = await openPage(browser);
    const { page, clock } = fixture;
    await button(page, 'Load phi').dblclick();
    await runApp(clock, LOAD_STEPS);
    await row(page, 'phi').filter({ hasText: 'idle' }).waitFor();
  });

  it('shows inline why a load was refused, until it is dismissed', async () => {
    await using fixture = await openPage(browser);
    const { page } = fixture;
    await button(page, 'Load storyteller').click();
    await page.getByRole('alert').filter({ hasText: 'storyteller.gguf is not there' }).waitFor();
    await button(page, 'Dismiss the error of storyteller').click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });

  it('says what to do when there are no models, and where the configuration is wrong', async () => {
    const configProblems = [{ file: 'models.yaml', line: 12, message: '`contextsize` is not a setting.' }];
    await using fixture = await openPage(browser, { models: [], server: { configProblems } });
    await fixture.page.getByText('npx roundhouse add FILE.gguf').waitFor();
    await fixture.page.getByText('models.yaml:12').waitFor();
  });

  it('streams an answer as it comes, then says how fast it was', async () => {
    await using fixture = await openPage(browser, { route: 'playground' });
    const { page, clock, complaints } = fixture;
    const answer = page.getByTestId('answer');
    await page.getByRole('textbox', { name: 'Message' }).fill('What is Roundhouse?');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('In short.');
    await button(page, 'Send').click();

    await runApp(clock, 1);
    await answer.filter({ hasText: /^Roundhouse\s*$/ }).waitFor();
    await runApp(clock, 1);
    await answer.filter({ hasText: /^Roundhouse keeps\s*$/ }).waitFor();
    await runApp(clock, CANNED_ANSWER.split(' ').length - 2);
    await answer.filter({ hasText: 'or for auto.' }).waitFor();
    await page.getByText(/\d+ ms to first token/).waitFor();
    await page.getByText('25 tok/s').waitFor();
    await page.getByText('31 tokens in (12 cached)').waitFor();
    await button(page, 'Send').waitFor();
    expect(await page.getByText('What is Roundhouse?').textContent()).toContain('\nIn short.');

    await button(page, 'New chat').click();
    await page.getByText('Ask something').waitFor();
    expect(complaints).toEqual([]);
  });

  it('stops an answer and keeps what came', async () => {
    await using fixture = await openPage(browser, { route: 'playground' });
    const { page, clock } = fixture;
    await page.getByRole('textbox', { name: 'Message' }).fill('Go on for ever');
    await page.keyboard.press('Enter');
    await runApp(clock, 3);
    await page.getByTestId('answer').filter({ hasText: 'Roundhouse keeps the' }).waitFor();
    await button(page, 'Stop').click();
    await page.getByText('stopped', { exact: true }).waitFor();
    await button(page, 'Send').waitFor();
    await page.getByRole('link', { name: 'Models' }).click();
    await runApp(clock, 1);
    // The app was told: the two that were active before are left.
    await row(page, 'mistral').filter({ hasText: '2 active' }).waitFor();
  });

  it('says with numbers why there is no answer, and offers one thing to do', async () => {
    await using fixture = await openPage(browser, { route: 'playground' });
    const { page } = fixture;
    await page.getByRole('combobox', { name: 'Model' }).click();
    await page.getByRole('option', { name: /^gemma-27b/ }).click();
    await page.getByRole('textbox', { name: 'Message' }).fill('Hi');
    await page.keyboard.press('Enter');
    await page.getByText('gemma-27b needs 18.3 GiB; 12.0 GiB of the 24.0 GiB budget are free.').waitFor();
    await page.getByRole('link', { name: 'Go to Models' }).click();
    await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
  });

  it('stays at the newest text unless the reader has scrolled up', async () => {
    const context = { viewport: { width: 600, height: 330 } };
    await using fixture = await openPage(browser, { route: 'playground', context });
    const { page, clock } = fixture;
    const scrolled = () =>
      page.evaluate<number>(
        '(() => { const box = document.querySelector("[aria-label=Conversation]"); return box.scrollHeight - box.clientHeight - box.scrollTop; })()',
      );
    await page.getByRole('textbox', { name: 'Message' }).fill('line\n'.repeat(12));
    await page.keyboard.press('Enter');
    await runApp(clock, 20);
    await page.getByTestId('answer').filter({ hasText: 'every program at' }).waitFor();
    expect(await scrolled()).toBeLessThan(2);

    await page.getByRole('region', { name: 'Conversation' }).hover();
    await page.mouse.wheel(0, -120);
    await button(page, 'Latest').waitFor();
    const before = await scrolled();
    await runApp(clock, 15);
    await page.getByTestId('answer').filter({ hasText: 'or for auto.' }).waitFor();
    expect(await scrolled()).toBeGreaterThanOrEqual(before);
    await button(page, 'Latest').click();
    await button(page, 'Latest').waitFor({ state: 'detached' });
    expect(await scrolled()).toBeLessThan(2);
  });

  it('says that it has lost the app, and catches up when the app is back', async () => {
    await using fixture = await openPage(browser);
    const { page, server, api, clock } = fixture;
    server.acceptEvents(false);
    server.dropEventStreams();
    await page.getByRole('alert').filter({ hasText: 'Connection lost, trying again.' }).waitFor();
    await page.getByText('Reconnecting').waitFor();

    const loading = api.call('models.load', { id: 'phi' });
    await runApp(clock, LOAD_STEPS);
    await loading;
    server.acceptEvents(true);
    await page.getByText('Serving').waitFor();
    await row(page, 'phi').filter({ hasText: 'idle' }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('can be used by keyboard alone, and shows where the focus is', async () => {
    await using fixture = await openPage(browser);
    const { page, clock } = fixture;
    await tabTo(page, 'Load phi');
    await page.keyboard.press('Enter');
    await runApp(clock, LOAD_STEPS);
    await button(page, 'Unload phi').waitFor();
    // The button changed its meaning, not its place: it still has the focus.
    await page.keyboard.press('Space');
    await runApp(clock, 1);
    await button(page, 'Load phi').waitFor();

    await tabTo(page, 'Playground');
    await page.keyboard.press('Enter');
    await tabTo(page, 'Model');
    await page.keyboard.press('Enter');
    await page.getByRole('option', { name: 'llama idle' }).waitFor();
    await page.keyboard.type('lla');
    await page.keyboard.press('Enter');
    await page.getByRole('combobox', { name: 'Model' }).filter({ hasText: 'llama' }).waitFor();
    await tabTo(page, 'Message');
    await page.keyboard.type('Hi');
    await page.keyboard.press('Enter');
    await runApp(clock, 1);
    await page.getByTestId('answer').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('stopped', { exact: true }).waitFor();
  });

  it('moves nothing where motion is unwanted', async () => {
    await using fixture = await openPage(browser, { context: { reducedMotion: 'reduce' } });
    const durations = await fixture.page.evaluate<string[]>(
      '[...document.querySelectorAll("*")].map((element) => getComputedStyle(element).transitionDuration)',
    );
    expect(new Set(durations)).toEqual(new Set(['1e-05s']));
  });
});
