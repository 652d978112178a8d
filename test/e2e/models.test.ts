import { mkdirSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, SKIP_REASON } from './chromium.ts';
import { openPage, settled, tabTo } from './page-fixture.ts';

if (SKIP_REASON !== null) console.log(SKIP_REASON);

const SCREENS = 'test/e2e/__screens__';

describe.skipIf(SKIP_REASON !== null)('models, here and elsewhere', () => {
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(SCREENS, { recursive: true });
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const row = (page: Page, id: string) =>
    page.getByRole('row').filter({ has: button(page, `${id}, details`) });
  const finds = (page: Page) => page.getByRole('region', { name: 'Not registered yet' });
  const detail = (page: Page, id: string) => page.getByRole('region', { name: `Model ${id}`, exact: true });

  it('lists them in one table, with what tells each from the others', async () => {
    await using fixture = await openPage(browser);
    const { page, complaints } = fixture;
    const sonnet = row(page, 'sonnet');
    await sonnet.getByText('At its limit').waitFor();
    await sonnet.getByText('200k').waitFor();
    await sonnet.getByRole('listitem').filter({ hasText: 'extended thinking' }).waitFor();
    await sonnet.getByText('of 800 ms').waitFor();
    await row(page, 'sonnet-4-5').getByText('deprecated').waitFor();
    await row(page, 'sonnet-4-5').getByText('use claude-sonnet-5-5').waitFor();
    await row(page, 'gpt-old').getByText('not asked').waitFor();
    await row(page, 'qwen-72b').getByText('Does not answer').waitFor();
    expect(
      await row(page, 'sonnet')
        .getByRole('button', { name: /^(Load|Pin)/ })
        .count(),
    ).toBe(0);
    // Measured, not what the last answer took.
    await row(page, 'mistral')
      .getByText(/, (meets|misses) its target/)
      .waitFor();
    expect(complaints).toEqual([]);
  });

  it('finds by words, among what is registered and what is not, and registers what is found', async () => {
    await using fixture = await openPage(browser);
    const { page, api } = fixture;
    await page.getByRole('searchbox', { name: 'Find models' }).fill('gpt-4.1');
    await row(page, 'gpt-mini').waitFor();
    await row(page, 'mistral').waitFor({ state: 'detached' });
    await finds(page).getByText('openai/gpt-4.1-nano').waitFor();
    // What is in the table is not found a second time.
    expect(await finds(page).getByText('openai/gpt-4.1-mini').count()).toBe(0);
    await button(page, 'Add GPT-4.1 nano').click();
    await row(page, 'gpt-4.1-nano').waitFor();
    await finds(page).getByText('openai/gpt-4.1-nano').waitFor({ state: 'detached' });
    expect(api.snapshot.models.at(-1)).toMatchObject({ kind: 'remote', remoteId: 'gpt-4.1-nano' });
    await page.keyboard.press('Escape');
    await button(page, 'Clear').click();
    await row(page, 'mistral').waitFor();
  });

  it('finds by what is required, and puts first what is preferred', async () => {
    await using fixture = await openPage(browser);
    const { page } = fixture;
    await button(page, 'Capabilities').click();
    await button(page, 'require images in').click();
    await row(page, 'mistral').waitFor({ state: 'detached' });
    await row(page, 'gpt-mini').waitFor();
    await finds(page).getByText('google/gemini-3-flash').waitFor();
    await button(page, 'prefer audio in').click();
    await finds(page).getByRole('listitem').first().getByText('Gemini 3 Flash').waitFor();
    await page.getByRole('button', { name: /^images in required/ }).click();
    await row(page, 'mistral').waitFor();
    await button(page, 'require reranking').click();
    await page.getByText('No registered model is like this').waitFor();
    await finds(page).getByText('Neither the catalog nor a provider has another one').waitFor();
    await button(page, 'Show all models').click();
    await row(page, 'mistral').waitFor();
  });

  it('leads to the provider that a model needs first', async () => {
    await using fixture = await openPage(browser);
    const { page } = fixture;
    await page.getByRole('searchbox', { name: 'Find models' }).fill('gemini');
    await button(page, 'Add google first, for Gemini 3 Flash').click();
    const panel = page.getByRole('region', { name: 'Add provider' });
    await panel.getByRole('combobox', { name: 'Kind' }).filter({ hasText: 'Google' }).waitFor();
    await button(page, 'Add google').waitFor();
  });

  it('says why a search failed, and tries it again', async () => {
    await using fixture = await openPage(browser);
    const { page } = fixture;
    await page.route('**/admin/models/search*', (request) => request.abort());
    await page.getByRole('searchbox', { name: 'Find models' }).fill('nano');
    await finds(page).getByRole('alert').waitFor();
    await page.unrouteAll();
    await button(page, 'Try again').click();
    await finds(page).getByText('openai/gpt-4.1-nano').waitFor();
  });

  it('shows one in detail: a local one', async () => {
    await using fixture = await openPage(browser);
    const { page } = fixture;
    await button(page, 'mistral, details').click();
    const panel = detail(page, 'mistral');
    await panel.getByText('/models/mistral.gguf').waitFor();
    await panel.getByText('% more than predicted.').waitFor();
    await panel.getByText('It runs here and costs nothing.').waitFor();
    await panel.getByText('It makes up sources').waitFor();
    await panel.getByText(/(meets|misses) 50 ms/).waitFor();
    await panel.getByText('Cannot: images in').waitFor();
    await button(page, 'mistral, details').click();
    await panel.waitFor({ state: 'detached' });
  });

  it('shows one in detail: remote ones, with and without a price', async () => {
    await using fixture = await openPage(browser);
    const { page } = fixture;
    await button(page, 'sonnet, details').click();
    await detail(page, 'sonnet').getByText('$15.00').waitFor();
    await detail(page, 'sonnet').getByText('since 2026-10-07; from @pydantic/genai-prices@0.1.8').waitFor();
    await detail(page, 'sonnet').getByRole('link', { name: 'Documentation' }).waitFor();
    await button(page, 'qwen-72b, details').click();
    await detail(page, 'qwen-72b').getByText('price not known').waitFor();
    expect(await detail(page, 'qwen-72b').getByText('$0').count()).toBe(0);
    await button(page, 'gpt-old, details').click();
    await detail(page, 'gpt-old')
      .getByText('Requests for it are refused. Use gpt-4.1-mini instead.')
      .waitFor();
  });

  it('can be used by keyboard alone', async () => {
    await using fixture = await openPage(browser);
    const { page } = fixture;
    await tabTo(page, 'Find models');
    await page.keyboard.type('gpt-4.1');
    await finds(page).getByText('openai/gpt-4.1-nano').waitFor();
    await tabTo(page, 'Add GPT-4.1 nano');
    await page.keyboard.press('Enter');
    await row(page, 'gpt-4.1-nano').waitFor();
    await page.getByRole('heading', { name: 'Models', level: 1 }).click();
    await tabTo(page, 'gpt-mini, details');
    await page.keyboard.press('Enter');
    await detail(page, 'gpt-mini').waitFor();
    await page.keyboard.press('Escape');
    await detail(page, 'gpt-mini').waitFor({ state: 'detached' });
    // The focus is back on the name that opened it.
    await page.keyboard.press('Enter');
    await detail(page, 'gpt-mini').waitFor();
  });

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    const problemsOf = async (page: Page) => {
      await settled(page);
      const { violations } = await new AxeBuilder({ page }).analyze();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join('; ')}`);
    };
    const keep = (page: Page, name: string) =>
      page.screenshot({ path: `${SCREENS}/${name}-${colorScheme}.png`, animations: 'disabled' });

    it.each([1180, 700])('axe finds nothing, and nothing leaves a window %i px wide', async (width) => {
      const context = { colorScheme, viewport: { width, height: 900 } };
      await using fixture = await openPage(browser, { context });
      const { page } = fixture;
      await row(page, 'mistral').getByText('its target').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      if (width === 1180) await keep(page, 'models-list');
      for (const id of ['mistral', 'sonnet', 'gpt-old']) {
        await button(page, `${id}, details`).click();
        await detail(page, id).waitFor();
        expect(await problemsOf(page)).toEqual([]);
        if (width === 1180 && id !== 'gpt-old') await keep(page, `models-detail-${id}`);
      }
      await page.keyboard.press('Escape');
      await detail(page, 'gpt-old').waitFor({ state: 'detached' });
      await button(page, 'Capabilities').click();
      await button(page, 'require images in').click();
      await button(page, 'prefer audio in').click();
      await finds(page).getByText('google/gemini-3-flash').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      if (width === 1180) await keep(page, 'models-search');
      expect(await page.evaluate('document.querySelector("main").scrollWidth')).toBeLessThanOrEqual(
        width - 56,
      );
    });
  });
});
