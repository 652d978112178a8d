import { mkdirSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, SKIP_REASON } from './chromium.ts';
import { openPage, runApp, settled, tabTo } from './page-fixture.ts';

if (SKIP_REASON !== null) console.log(SKIP_REASON);

const SCREENS = 'test/e2e/__screens__';
/** Nobody's key: looked for wherever the page could have kept it. */
const CANARY = 'sk-canary-4f1d';

describe.skipIf(SKIP_REASON !== null)('providers', () => {
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(SCREENS, { recursive: true });
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const route = 'providers' as const;
  const card = (page: Page, name: string) => page.getByRole('article', { name, exact: true });
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

  it('says of each whether it answers, with which key, and how much of it is used', async () => {
    await using fixture = await openPage(browser, { route });
    const { page, complaints } = fixture;
    const openai = card(page, 'openai');
    await openai.getByText('Answers', { exact: true }).waitFor();
    await openai.getByText(/answered in 212 ms, 4\d s ago/).waitFor();
    await openai.getByText('set, from OPENAI_API_KEY').waitFor();
    await openai.getByText('18,400 of 200,000').waitFor();
    await openai.getByText('87 found 2 h ago').waitFor();
    await openai.getByText('2 registered').waitFor();
    await card(page, 'anthropic').getByText('At its limit').waitFor();
    await card(page, 'anthropic').getByText('the next can go in 12 s').waitFor();
    await card(page, 'groq').getByText('Needs a key').waitFor();
    await card(page, 'groq').getByText('Set GROQ_API_KEY in the environment').waitFor();
    await card(page, 'openrouter').getByText('Key refused').waitFor();
    await card(page, 'mac-studio').getByText('Does not answer').waitFor();
    expect(await page.title()).toBe('Providers · Roundhouse');
    expect(complaints).toEqual([]);
  });

  it('asks a provider whether it would answer', async () => {
    await using fixture = await openPage(browser, { route });
    const { page, clock } = fixture;
    await button(page, 'Test openai').click();
    await button(page, 'Testing openai').waitFor();
    await card(page, 'openai').getByText('asking it…').waitFor();
    await runApp(clock, 1);
    await card(page, 'openai').getByText('answered in 187 ms, just now').waitFor();
    await button(page, 'Test openai').waitFor();
  });

  it('takes a key, tries it, and shows it nowhere', async () => {
    await using fixture = await openPage(browser, { route });
    const { page, clock, api } = fixture;
    const keys: unknown[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/providers/setKey')) keys.push(request.postDataJSON());
    });
    await button(page, 'Set key of groq').click();
    const field = card(page, 'groq').getByLabel('Key', { exact: true });
    expect(await field.getAttribute('type')).toBe('password');
    await field.fill(CANARY);
    await page.keyboard.press('Enter');
    await field.waitFor({ state: 'detached' });
    await runApp(clock, 1);
    await card(page, 'groq').getByText('set, in the keychain').waitFor();
    await card(page, 'groq').getByText('Answers', { exact: true }).waitFor();
    expect(keys).toEqual([{ name: 'groq', apiKey: CANARY }]);
    expect(JSON.stringify(api.snapshot)).not.toContain(CANARY);
    expect(await page.content()).not.toContain(CANARY);
    await button(page, 'Replace the key of groq').click();
    expect(await card(page, 'groq').getByLabel('New key').inputValue()).toBe('');
    await button(page, 'Forget key').click();
    await card(page, 'groq').getByText('Needs a key').waitFor();
  });

  it('finds models, searches them, and registers one', async () => {
    await using fixture = await openPage(browser, { route });
    const { page, api } = fixture;
    await button(page, 'Browse models of openai').click();
    const panel = page.getByRole('region', { name: 'Models of openai' });
    await panel.getByText('gpt-4.1-nano').waitFor();
    await panel.getByText('$0.10 in, $0.40 out').waitFor();
    await panel.getByText('Use gpt-4.1-mini instead.').waitFor();
    await panel.getByRole('searchbox').fill('4.1 nano');
    await panel.getByText('GPT-3.5 Turbo').waitFor({ state: 'detached' });
    await button(page, 'Add GPT-4.1 nano').click();
    await panel.getByText('registered as gpt-4.1-nano').waitFor();
    expect(api.snapshot.models.at(-1)).toMatchObject({ id: 'gpt-4.1-nano', provider: 'openai' });
    await panel.getByRole('searchbox').fill('no such thing');
    await button(page, 'Show all').click();
    await panel.getByText('GPT-3.5 Turbo').waitFor();
  });

  it('adds a server of its own, having said what its address must be', async () => {
    await using fixture = await openPage(browser, { route });
    const { page, clock, api } = fixture;
    await button(page, 'Add provider').click();
    const panel = page.getByRole('region', { name: 'Add provider' });
    await panel.getByRole('combobox', { name: 'Kind' }).click();
    await page.getByRole('option', { name: 'OpenAI-compatible' }).click();
    await panel.getByLabel('Name').fill('mock');
    await panel.getByText('There is a provider mock already.').waitFor();
    await panel.getByLabel('Name').fill('attic');
    await panel.getByLabel('Base URL').fill('attic:8000');
    await button(page, 'Add attic').click();
    await panel.getByText('An address that begins with http://').waitFor();
    await panel.getByLabel('Base URL').fill('http://attic.local:8000/v1');
    await button(page, 'Add attic').click();
    await panel.waitFor({ state: 'detached' });
    await runApp(clock, 1);
    await card(page, 'attic').getByText('Answers', { exact: true }).waitFor();
    expect(api.snapshot.providers.at(-1)).toMatchObject({
      name: 'attic',
      kind: 'openai-compatible',
      baseUrl: 'http://attic.local:8000/v1',
    });
  });

  it('removes one after asking, and names the models of one that is needed', async () => {
    await using fixture = await openPage(browser, { route });
    const { page } = fixture;
    await button(page, 'Remove openai').click();
    await card(page, 'openai').getByText('It runs gpt-mini and gpt-old.').waitFor();
    await button(page, 'Keep it').click();
    await button(page, 'Remove groq').first().click();
    await card(page, 'groq').getByText('No registered model runs on it.').waitFor();
    await card(page, 'groq').getByRole('button', { name: 'Remove groq', exact: true }).first().click();
    await card(page, 'groq').waitFor({ state: 'detached' });
  });

  it('says why something was refused', async () => {
    await using fixture = await openPage(browser, { route });
    const { page } = fixture;
    await page.route('**/admin/providers/models', (request) => request.abort());
    await button(page, 'Browse models of openai').click();
    await page.getByRole('alert').waitFor();
    await page.unrouteAll();
    await button(page, 'Try again').click();
    await page.getByRole('region', { name: 'Models of openai' }).getByText('gpt-4.1-nano').waitFor();
  });

  it('can be used by keyboard alone', async () => {
    await using fixture = await openPage(browser, { route });
    const { page, clock } = fixture;
    await tabTo(page, 'Set key of groq');
    await page.keyboard.press('Enter');
    await page.keyboard.type(CANARY);
    await page.keyboard.press('Escape');
    await page.getByRole('form', { name: 'Key of groq' }).waitFor({ state: 'detached' });
    // The focus is back where it came from.
    await page.keyboard.press('Enter');
    await page.keyboard.type(CANARY);
    await page.keyboard.press('Enter');
    await runApp(clock, 1);
    await card(page, 'groq').getByText('Answers', { exact: true }).waitFor();
    await page.getByRole('heading', { name: 'Providers', level: 1 }).click();
    await tabTo(page, 'Browse models of mac-studio');
    await page.keyboard.press('Enter');
    const panel = page.getByRole('region', { name: 'Models of mac-studio' });
    await panel.getByText('qwen-72b').waitFor();
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    await tabTo(page, 'Remove mac-studio');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.getByText('It runs qwen-72b.').waitFor({ state: 'detached' });
  });

  it('says what to do where there is none', async () => {
    await using fixture = await openPage(browser, { route, providers: [], models: [] });
    const { page } = fixture;
    await page.getByRole('heading', { name: 'No providers yet' }).waitFor();
    await button(page, 'Add provider').first().click();
    await page.getByRole('region', { name: 'Add provider' }).waitFor();
  });

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    const problemsOf = async (page: Page) => {
      await settled(page);
      const { violations } = await new AxeBuilder({ page }).analyze();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join('; ')}`);
    };
    const keep = (page: Page, name: string) =>
      page.screenshot({ path: `${SCREENS}/${name}-${colorScheme}.png`, animations: 'disabled' });

    it.each([1180, 700, 420])('axe finds nothing, and nothing leaves a window %i px wide', async (width) => {
      const context = { colorScheme, viewport: { width, height: 900 } };
      await using fixture = await openPage(browser, { route, context });
      const { page } = fixture;
      await card(page, 'openai').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      if (width === 1180) await keep(page, 'providers');
      await button(page, 'Replace the key of openai').click();
      expect(await problemsOf(page)).toEqual([]);
      await button(page, 'Remove openai').click();
      expect(await problemsOf(page)).toEqual([]);
      await button(page, 'Browse models of openai').click();
      await page.getByText('gpt-4.1-nano').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      if (width === 1180) await keep(page, 'providers-models');
      expect(await page.evaluate('document.querySelector("main").scrollWidth')).toBeLessThanOrEqual(
        width - 56,
      );
      await button(page, 'Add provider').click();
      await page.getByRole('region', { name: 'Add provider' }).waitFor();
      expect(await problemsOf(page)).toEqual([]);
      await page.getByRole('combobox', { name: 'Kind' }).click();
      await page.getByRole('option', { name: 'OpenAI-compatible' }).hover();
      expect(await problemsOf(page)).toEqual([]);
      await page.getByRole('option', { name: 'OpenAI-compatible' }).click();
      await button(page, 'Add my-server').click();
      await page.getByText('An address that begins').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      if (width === 1180) await keep(page, 'providers-add');
      expect(await page.evaluate('document.querySelector("main").scrollWidth')).toBeLessThanOrEqual(
        width - 56,
      );
    });

    it('axe finds nothing where there is none', async () => {
      await using fixture = await openPage(browser, { route, context: { colorScheme }, providers: [] });
      await fixture.page.getByRole('heading', { name: 'No providers yet' }).waitFor();
      expect(await problemsOf(fixture.page)).toEqual([]);
    });
  });
});
