import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RoundhouseError } from '../../src/shared/errors.ts';
import { fakeRequest } from '../fakes/fake-requests.ts';
import { launchChromium, SKIP_REASON } from './chromium.ts';
import { openPage, type PageOptions, problemsOf, tabTo } from './page-fixture.ts';
import { shoot } from './screens.ts';

if (SKIP_REASON !== null) console.log(SKIP_REASON);

const DAY_MS = 86_400e3;
const DOLLAR = 1_000_000_000;

describe.skipIf(SKIP_REASON !== null)('Cost', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const open = (options: PageOptions = {}) => openPage(browser, { route: 'cost', ...options });
  const chart = (page: Page) => page.getByRole('toolbar', { name: 'Cost by day' });
  const sums = (page: Page, by: string) => page.getByRole('table', { name: `Costs by ${by}` });
  const row = (page: Page, by: string, name: string) =>
    sums(page, by)
      .getByRole('row')
      .filter({ has: page.getByRole('rowheader', { name }) });
  const budget = (page: Page, name: string) =>
    page.getByRole('region', { name: 'Budgets' }).getByRole('listitem').filter({ hasText: name });

  /** A cent today, two yesterday, and one answer without a price. */
  const few = () => {
    const nowMs = Date.now();
    return [
      fakeRequest(3, { atMs: nowMs, model: 'qwen-72b', provider: 'mac-studio', costNanoDollars: null }),
      fakeRequest(2, { atMs: nowMs, model: 'sonnet', provider: 'anthropic', costNanoDollars: 0.01 * DOLLAR }),
      fakeRequest(1, {
        atMs: nowMs - DAY_MS,
        model: 'sonnet',
        provider: 'anthropic',
        costNanoDollars: 0.02 * DOLLAR,
      }),
    ];
  };

  it('draws each day to scale, and names what it is made of', async () => {
    await using fixture = await open({ requests: few() });
    const { page, complaints } = fixture;
    const days = chart(page).getByRole('button');
    await days.last().waitFor();
    expect(await days.count()).toBe(30);
    const names = await days.evaluateAll((all) => all.slice(-3).map((day) => day.getAttribute('aria-label')));
    expect(names.map((name) => name?.replace(/^.*?: /, ''))).toEqual([
      '$0.00, 0 requests',
      '$0.0200, 1 request',
      '$0.0100, and 1 answer whose price is not known, 2 requests',
    ]);
    const heights = await days.evaluateAll((all) =>
      all
        .slice(-2)
        .map((day) => day.querySelector('span > span:last-child')?.getBoundingClientRect().height ?? 0),
    );
    expect((heights[0] ?? 0) / (heights[1] ?? 1)).toBeCloseTo(2, 1);
    await days.last().hover();
    await page.getByRole('tooltip').getByText('qwen-72b').waitFor();
    await page.getByRole('tooltip').getByText('price not known').waitFor();
    expect(complaints).toEqual([]);
  });

  it('adds up by what is asked for, and never takes an unknown price for nothing', async () => {
    await using fixture = await open({ requests: few() });
    const { page } = fixture;
    await page.getByRole('heading', { name: '$0.03', exact: true }).waitFor();
    await page.getByText('and 1 answer whose price is not known', { exact: true }).waitFor();
    await row(page, 'model', 'qwen-72b').filter({ hasText: 'price not known' }).waitFor();
    await row(page, 'model', 'Total').filter({ hasText: '+ 1 not known' }).waitFor();
    await page.getByText('Provider', { exact: true }).click();
    await row(page, 'provider', 'anthropic').filter({ hasText: '$0.03' }).waitFor();
    await page.getByText('Key', { exact: true }).click();
    await row(page, 'key', 'no key').filter({ hasText: '3' }).waitFor();
  });

  it('leads from a sum to its requests', async () => {
    await using fixture = await open();
    const { page } = fixture;
    await page.getByRole('button', { name: 'gpt-mini' }).click();
    await page.getByRole('heading', { name: 'Requests', level: 1 }).waitFor();
    await page.getByRole('combobox', { name: 'Model' }).filter({ hasText: 'gpt-mini' }).waitFor();
    const wrong = page.getByRole('grid').locator('tbody tr').filter({ hasNotText: 'gpt-mini' });
    await expect.poll(() => wrong.count()).toBe(0);
  });

  it('shows how much of each budget is spent and on its way, its alerts, and when it begins anew', async () => {
    await using fixture = await open();
    const { page } = fixture;
    await budget(page, 'Everything').filter({ hasText: '$3.11 of $5.00 a month' }).waitFor();
    await budget(page, 'Everything').filter({ hasText: 'has reached 50 %' }).waitFor();
    await budget(page, 'openai').filter({ hasText: '$0.012 in flight' }).waitFor();
    await budget(page, 'openai')
      .filter({ hasText: /resets in \d+ [hdms]/ })
      .waitFor();
    await budget(page, 'grace').filter({ hasText: 'spent: requests are refused' }).waitFor();
    const meter = page.getByRole('meter', { name: 'Spent of the budget for openai' });
    expect(await meter.getAttribute('aria-valuenow')).toBe('85');
  });

  it('suggests with its arithmetic', async () => {
    await using fixture = await open();
    const suggestion = fixture.page.getByRole('region', { name: 'Suggestions' }).getByRole('listitem');
    await suggestion.filter({ hasText: '−$0.92 a month' }).filter({ hasText: '61 of 100' }).waitFor();
    await suggestion.getByText('$0.92 ÷ 30 × 30 = $0.92').waitFor();
  });

  it('gives the requests of the time shown as a file', async () => {
    await using fixture = await open({ requests: few() });
    const { page } = fixture;
    for (const [name, head] of [
      ['Export as CSV', 'id,request_id,at'],
      ['Export as JSON lines', '{"'],
    ] as const) {
      const coming = page.waitForEvent('download');
      await page.getByRole('button', { name }).click();
      const download = await coming;
      const text = await readFile(await download.path(), 'utf8');
      expect(text.slice(0, head.length)).toBe(head);
      expect(text.trim().split('\n').length).toBe(name === 'Export as CSV' ? 4 : 3);
    }
  });

  it('keeps its figures when they cannot be renewed, and tries again', async () => {
    await using fixture = await open();
    const { page, api } = fixture;
    await sums(page, 'model').waitFor();
    api.refuse('usage.costs', new RoundhouseError('internal_error', 'The database is locked.'));
    await page.getByText('User', { exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'The database is locked.' }).waitFor();
    await sums(page, 'model').waitFor();
    api.refuse('usage.costs', null);
    await page.getByRole('button', { name: 'Try again' }).click();
    await row(page, 'user', 'ada').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('says what to do while there is nothing', async () => {
    await using fixture = await open({ requests: [], budgets: [], suggestions: [] });
    const { page } = fixture;
    await page.getByText('curl http://127.0.0.1:4141/v1/chat/completions').waitFor();
    await page.getByText('alertAt: [50%, 90%]').waitFor();
    await page.getByText('They come after a week of requests').waitFor();
  });

  it('can be used by keyboard alone', async () => {
    await using fixture = await open();
    const { page } = fixture;
    await sums(page, 'model').waitFor();
    await tabTo(page, 'Model');
    await page.keyboard.press('ArrowRight');
    await sums(page, 'provider').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    const focused = () => page.evaluate<string>('document.activeElement.getAttribute("aria-label")');
    const today = await focused();
    expect(today).toMatch(/requests$/);
    await page.keyboard.press('ArrowLeft');
    expect(await focused()).not.toBe(today);
    await page.getByRole('tooltip').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('tooltip').waitFor({ state: 'detached' });
  });

  it.each([480, 720])('can be read in a window %i px wide', async (width) => {
    await using fixture = await open({ context: { viewport: { width, height: 900 } } });
    const { page } = fixture;
    await sums(page, 'model').waitFor();
    expect(await page.evaluate('document.querySelector("main").scrollWidth')).toBeLessThanOrEqual(width - 56);
  });

  it.each(['light', 'dark'] as const)('has nothing for axe to find in %s', async (colorScheme) => {
    await using fixture = await open({ context: { colorScheme, viewport: { width: 1180, height: 1020 } } });
    const { page } = fixture;
    await sums(page, 'model').waitFor();
    expect(await problemsOf(page)).toEqual([]);
    await shoot(page, `cost-${colorScheme}`);
    await chart(page).getByRole('button').nth(27).hover();
    await page.getByRole('tooltip').waitFor();
    expect(await problemsOf(page)).toEqual([]);
    await using empty = await open({ context: { colorScheme }, requests: [], budgets: [], suggestions: [] });
    await empty.page.getByText('No requests in the last 30 days').waitFor();
    expect(await problemsOf(empty.page)).toEqual([]);
  });
});
