import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeMemory } from '../fakes/fake-memory.ts';
import { fakeModel } from '../fakes/fake-models.ts';
import { launchChromium, SKIP_REASON } from './chromium.ts';
import { dragFiles, openPage, tabTo } from './page-fixture.ts';

if (SKIP_REASON !== null) console.log(SKIP_REASON);

const SCREENS = 'test/e2e/__screens__';
const DEMO = 'resources/models/roundhouse-demo.gguf';
const QWEN = '/models/Qwen3-8B-Q4_K_M.gguf';

describe.skipIf(SKIP_REASON !== null)('adding a GGUF', () => {
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(SCREENS, { recursive: true });
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const panel = (page: Page) => page.getByRole('region', { name: 'Add model' });
  const slider = (page: Page, name: string) => page.getByRole('slider', { name });
  async function addPath(page: Page, path: string): Promise<void> {
    await button(page, 'Add model').click();
    await page.getByLabel('Path of a file').fill(path);
    await page.keyboard.press('Enter');
  }

  it('takes a real file dropped in any view: sent, read, estimated, added, found in the list', async () => {
    await using fixture = await openPage(browser, { route: 'playground' });
    const { page, server, complaints } = fixture;
    const content = await readFile(DEMO);
    const drag = await dragFiles(page, [{ name: 'roundhouse-demo.gguf', content }]);
    await page.getByText('Drop GGUF files to add them').waitFor();
    await drag.drop();
    await page.getByTestId('drop-overlay').waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
    await panel(page).getByRole('heading', { name: 'Add Roundhouse demo' }).waitFor();
    expect(server.uploads).toEqual([
      { name: 'roundhouse-demo.gguf', sizeBytes: content.byteLength, complete: true },
    ]);
    await panel(page).getByText('F16 · llama · 900 k').waitFor();
    await panel(page).getByText('measured here before').waitFor();
    await panel(page).getByText('Fits').waitFor();

    await button(page, 'Add as roundhouse-demo').click();
    await page.locator('tbody[data-added=true]').filter({ hasText: 'roundhouse-demo' }).waitFor();
    await panel(page).waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
  });

  it('moves the estimate with the sliders, and asks nothing for the context and the cache', async () => {
    await using fixture = await openPage(browser);
    const { page, api } = fixture;
    await addPath(page, QWEN);
    await panel(page).getByText('Needs 7.4 GiB').waitFor();
    await panel(page).getByText('± 10 % until measured').waitFor();
    await panel(page)
      .getByText(/Fits after unloading llama \(idle 4 m, back in 1\.4 s\)/)
      .waitFor();
    // From here on the app does not answer: what moves, moves by itself.
    const estimates = '**/admin/models/estimate';
    await page.route(estimates, () => undefined);

    await slider(page, 'Context').focus();
    for (const needs of ['6.9', '6.3', '6.0', '5.8', '5.5', '5.3']) {
      await page.keyboard.press('ArrowLeft');
      await panel(page).getByText(`Needs ${needs} GiB`).waitFor();
    }
    expect(await slider(page, 'Context').getAttribute('aria-valuetext')).toBe('512 tokens a slot');
    await slider(page, 'Context').press('End');
    await panel(page).getByText('Needs 16.4 GiB').waitFor();
    await page.getByText('q4_0', { exact: true }).click();
    await panel(page).getByText('Needs 8.4 GiB').waitFor();
    await page.unrouteAll();
    await slider(page, 'Slots').press('ArrowRight');
    await panel(page).getByText('Needs 9.9 GiB').waitFor();

    await button(page, 'Add as qwen3-8b').click();
    await page.getByRole('row', { name: 'qwen3-8b' }).filter({ hasText: '40,960' }).waitFor();
    expect(api.snapshot.models.at(-1)).toMatchObject({ id: 'qwen3-8b', contextSize: 40_960, slots: 3 });
  });

  it('offers the largest context that fits where the one chosen does not', async () => {
    await using fixture = await openPage(browser);
    const { page } = fixture;
    await addPath(page, QWEN);
    await slider(page, 'Context').press('End');
    await slider(page, 'Slots').press('End');
    await panel(page)
      .getByText(/Does not fit: needs 10\d\.\d GiB of 24\.0 GiB; the largest context/)
      .waitFor();
    await panel(page).getByRole('button', { name: /^Use / }).click();
    await panel(page).getByText('Does not fit').waitFor({ state: 'detached' });
  });

  it('says it where nothing makes a model fit', async () => {
    await using fixture = await openPage(browser);
    await addPath(fixture.page, '/models/Llama-3.3-70B-Q4_K_M.gguf');
    await panel(fixture.page)
      .getByText(/Does not fit: needs .* Choose a smaller file/)
      .waitFor();
  });

  it('cancels a file that is on its way', async () => {
    const held = Promise.withResolvers<void>();
    await using fixture = await openPage(browser, { holdUploads: held.promise });
    const { page, server } = fixture;
    const content = Buffer.alloc(48 * 1024 ** 2);
    content.write('GGUF');
    const drag = await dragFiles(page, [{ name: 'large.gguf', content }]);
    await drag.drop();
    await panel(page).getByRole('progressbar', { name: 'Copying large.gguf' }).waitFor();
    await panel(page).getByText('of 48 MiB').waitFor();
    await button(page, 'Cancel').click();
    await panel(page).waitFor({ state: 'detached' });
    held.resolve();
    expect(server.uploads).toMatchObject([{ name: 'large.gguf', complete: false }]);
  });

  it('refuses what is not a GGUF without sending it, and goes on with the next', async () => {
    await using fixture = await openPage(browser, { route: 'overview' });
    const { page, server } = fixture;
    const drag = await dragFiles(page, [
      { name: 'notes.txt', content: Buffer.from('hello') },
      { name: 'roundhouse-demo.gguf', content: await readFile(DEMO) },
    ]);
    await drag.drop();
    await panel(page).getByText('1 of 2').waitFor();
    await page.getByRole('alert').filter({ hasText: 'notes.txt is not a GGUF file' }).waitFor();
    expect(server.uploads).toEqual([]);
    await button(page, 'Go on with the next').click();
    await panel(page).getByText('2 of 2').waitFor();
    await button(page, 'Add as roundhouse-demo').waitFor();
  });

  it('says what is wrong with a damaged file, and lets another be chosen', async () => {
    await using fixture = await openPage(browser);
    const { page } = fixture;
    await addPath(page, '/models/damaged.gguf');
    await page.getByRole('alert').filter({ hasText: 'damaged.gguf is damaged: tensor 12 of 291' }).waitFor();
    await page.getByLabel('Path of a file').fill(QWEN);
    await button(page, 'Read').click();
    await button(page, 'Add as qwen3-8b').waitFor();
  });

  it('says as what a file is registered already, and goes there', async () => {
    const source = { kind: 'file', path: QWEN } as const;
    await using fixture = await openPage(browser, { models: [fakeModel('qwen', { source })] });
    const { page } = fixture;
    await addPath(page, QWEN);
    await panel(page).getByText('Already registered as qwen.').waitFor();
    await button(page, 'Go to qwen').click();
    await page.locator('tbody[data-added=true]').filter({ hasText: 'qwen' }).waitFor();
  });

  it('can be done by keyboard alone', async () => {
    await using fixture = await openPage(browser);
    const { page } = fixture;
    await tabTo(page, 'Add model');
    await page.keyboard.press('Enter');
    await tabTo(page, 'Path of a file');
    await page.keyboard.type(QWEN);
    await page.keyboard.press('Enter');
    await button(page, 'Add as qwen3-8b').waitFor();
    await tabTo(page, 'Context');
    await page.keyboard.press('ArrowLeft');
    await panel(page).getByText('Needs 6.9 GiB').waitFor();
    await tabTo(page, 'Slots');
    await page.keyboard.press('Home');
    await panel(page).getByText('Needs 6.0 GiB').waitFor();
    await tabTo(page, 'Add as qwen3-8b');
    await page.keyboard.press('Enter');
    await page.getByRole('row', { name: 'qwen3-8b' }).waitFor();
    await tabTo(page, 'Add model');
    await page.keyboard.press('Enter');
    await panel(page).waitFor();
    await page.keyboard.press('Escape');
    await panel(page).waitFor({ state: 'detached' });
  });

  it('begins where there is no model yet', async () => {
    await using fixture = await openPage(browser, { models: [], route: 'overview' });
    const { page } = fixture;
    await page.getByRole('heading', { name: 'No models yet' }).waitFor();
    await button(page, 'Add model').click();
    await panel(page).getByText('Drop GGUF files anywhere in this window, or').waitFor();
  });

  it('pins from the list', async () => {
    const memory = fakeMemory(4);
    await using fixture = await openPage(browser, { models: [fakeModel('m', { memory })] });
    const { page } = fixture;
    await button(page, 'Pin m').click();
    await page.getByRole('button', { name: 'Pin m', pressed: true }).waitFor();
    await button(page, 'Pin m').click();
    await page.getByRole('button', { name: 'Pin m', pressed: false }).waitFor();
  });

  it.each(['light', 'dark'] as const)('is kept as a picture, in %s', async (colorScheme) => {
    await using fixture = await openPage(browser, { context: { colorScheme } });
    const { page } = fixture;
    await addPath(page, QWEN);
    await panel(page).getByText('Fits').waitFor();
    await page.screenshot({ path: `${SCREENS}/add-model-${colorScheme}.png`, animations: 'disabled' });
  });
});
