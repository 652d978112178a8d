import { mkdtempSync } from 'node:fs';
import { appendFile, copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServedApp, serveApp } from '../harness/served-app.ts';
import { launchChromium, SKIP_REASON } from './chromium.ts';
import { dragFiles, settled } from './page-fixture.ts';

/*
 * The built page on the built app with real engines, as a user has it. Its screenshots are to be looked at: with
 * KEEP_SCREENS=1 they are written where they are kept, else into a folder that is named at the end.
 */

if (SKIP_REASON !== null) console.log(SKIP_REASON);

const SCREENS = process.env.KEEP_SCREENS
  ? 'test/e2e/__screens__'
  : mkdtempSync(join(tmpdir(), 'roundhouse-screens-'));
const DEMO = 'resources/models/roundhouse-demo.gguf';

describe.skipIf(SKIP_REASON !== null)('the page on the real app', () => {
  let browser: Browser;
  let app: ServedApp;
  let dir: string;
  let page: Page;
  const complaints: string[] = [];
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const row = (id: string) => page.getByRole('row', { name: id });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'roundhouse-e2e-'));
    await copyFile(DEMO, join(dir, 'storyteller.gguf'));
    app = await serveApp(`version: 1
memory: { budget: 2GiB }
models:
  demo: { file: 'builtin:demo', name: Roundhouse demo, contextSize: 2048 }
  storyteller: { file: '${dir}/storyteller.gguf', contextSize: 1024, parallel: 1, aliases: [stories] }
  coder: { file: '${dir}/gone.gguf' }
tiers:
  default: { models: [demo] }
  low: { models: [storyteller, demo] }
`);
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1180, height: 760 }, colorScheme: 'light' });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    await page.goto(`${app.url}/`);
  });
  afterAll(async () => {
    console.log(`Screenshots: ${SCREENS}`);
    await browser?.close();
    await app?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  const goTo = (view: string) => page.getByRole('link', { name: view }).click();

  it('shows what is there, and what is wrong with a file that is not', async () => {
    await page.getByText('Serving').waitFor();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await goTo('Models');
    await row('demo').filter({ hasText: 'on disk' }).waitFor();
    await row('coder').filter({ hasText: 'cannot load' }).waitFor();
    await page.getByText('gone.gguf is not there').first().waitFor();
  });

  it('loads a model and shows what it holds', async () => {
    await button('Load demo').click();
    await row('demo').filter({ hasText: 'idle' }).waitFor();
    await button('Load storyteller').click();
    await row('storyteller').filter({ hasText: 'idle' }).waitFor();
    await page.screenshot({ path: `${SCREENS}/models-light.png` });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: `${SCREENS}/models-dark.png` });
    await goTo('Overview');
    await page.getByText(/Loaded storyteller in/).waitFor();
    await page.getByRole('article', { name: 'storyteller' }).filter({ hasText: 'idle' }).waitFor();
    await page.getByRole('button', { name: /^demo .*, measured/ }).waitFor();
  });

  it('chats, and the tokens stream', async () => {
    await goTo('Playground');
    await page.getByRole('combobox', { name: 'Model' }).click();
    await page.getByRole('option', { name: /^demo/ }).click();
    // Notes each length that the answer has on its way.
    await page.evaluate(`
      window.seenLengths = new Set();
      new MutationObserver(() => {
        const answer = document.querySelector('[data-testid="answer"]');
        if (answer) window.seenLengths.add(answer.textContent.length);
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    `);
    await page.getByRole('textbox', { name: 'Message' }).fill('What is Roundhouse?');
    await page.keyboard.press('Enter');
    const answer = page.getByTestId('answer').last();
    await answer.filter({ hasText: 'a single OpenAI-compatible address.' }).waitFor();
    const steps = await page.evaluate<number>('window.seenLengths.size');
    expect(steps).toBeGreaterThan(3);
    await page
      .getByText(/tokens\/s|tok\/s/)
      .first()
      .waitFor();

    await page.getByRole('textbox', { name: 'Message' }).fill('How do I pin a model?');
    await button('Send').click();
    await page.getByText('unpin it').waitFor();
    await page.screenshot({ path: `${SCREENS}/playground-dark.png` });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.screenshot({ path: `${SCREENS}/playground-light.png` });
  });

  it('unloads', async () => {
    await goTo('Models');
    await button('Unload demo').click();
    await row('demo').filter({ hasText: 'on disk' }).waitFor();
    await goTo('Overview');
    await page.getByText(/Unloaded demo .*asked to/).waitFor();
    await goTo('Models');
  });

  it('takes a GGUF that is dropped on it, from the estimate to the first answer', async () => {
    const panel = page.getByRole('region', { name: 'Add model' });
    await goTo('Overview');
    const drag = await dragFiles(page, [{ name: 'Dropped-One.gguf', content: await readFile(DEMO) }]);
    await page.getByText('Drop GGUF files to add them').waitFor();
    await drag.drop();
    await panel.getByText('Fits').waitFor();
    await panel.getByText(/· llama ·/).waitFor();
    const needs = async () => (await panel.getByText(/^Needs /).textContent()) ?? '';
    const atFirst = await needs();
    const slider = panel.getByRole('slider', { name: 'Context' });
    // The default is 8,192; this model was trained for less.
    expect(await slider.getAttribute('aria-valuetext')).toBe('2,048 tokens a slot');
    await slider.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => slider.getAttribute('aria-valuetext')).toMatch(/^512 tokens/);
    expect(mebibytes(await needs())).toBeLessThan(mebibytes(atFirst));
    await page.keyboard.press('ArrowRight');

    await button('Add as roundhouse-demo').click();
    await panel.waitFor({ state: 'detached' });
    await row('roundhouse-demo').filter({ hasText: 'on disk' }).filter({ hasText: '1,024' }).waitFor();
    await button('Load roundhouse-demo').click();
    await row('roundhouse-demo').filter({ hasText: 'idle' }).waitFor();

    await goTo('Playground');
    await page.getByRole('combobox', { name: 'Model' }).click();
    await page.getByRole('option', { name: /^roundhouse-demo/ }).click();
    await page.getByRole('textbox', { name: 'Message' }).fill('What is the capital of France?');
    await page.keyboard.press('Enter');
    await page.getByText('The capital of France is Paris.').waitFor();

    await goTo('Overview');
    await page.getByRole('article', { name: 'roundhouse-demo' }).filter({ hasText: 'tok/s' }).waitFor();
    await settled(page);
    await page.screenshot({ path: `${SCREENS}/overview-real-light.png` });
    await goTo('Models');
  });

  it('shows the line of a mistake in models.yaml while the last good one is in force', async () => {
    await appendFile(join(app.dataDir, 'models.yaml'), 'memry: {}\n');
    await page.getByText(/unknown key/).waitFor();
    await page.getByText(/did you mean/).waitFor();
    await page.screenshot({ path: `${SCREENS}/models-problem-light.png` });
    await row('storyteller').waitFor();
  });

  it('had nothing to complain about', () => {
    expect(complaints).toEqual([]);
  });
});

/** Of `Needs 55 MiB`. */
function mebibytes(words: string): number {
  const [, size, unit] = /([\d.]+) ([MG])iB/.exec(words) ?? [];
  return Number(size) * (unit === 'G' ? 1024 : 1);
}
