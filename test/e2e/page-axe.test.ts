import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANNED_ANSWER } from '../fakes/fake-app.ts';
import { launchChromium, SKIP_REASON } from './chromium.ts';
import { dragFiles, openPage, runApp, settled } from './page-fixture.ts';

if (SKIP_REASON !== null) console.log(SKIP_REASON);

describe.skipIf(SKIP_REASON !== null)('the page for everybody', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

  describe.each(['light', 'dark'] as const)('axe finds nothing in %s', (colorScheme) => {
    const problemsOf = async (page: Page) => {
      // What fades in has less contrast on its way.
      await settled(page);
      const { violations } = await new AxeBuilder({ page }).analyze();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join('; ')}`);
    };

    it.each([1180, 700])('on Models, %i wide', async (width) => {
      const context = { colorScheme, viewport: { width, height: 760 } };
      await using fixture = await openPage(browser, { context });
      const { page } = fixture;
      await button(page, 'Load storyteller').click();
      await page.getByRole('alert').waitFor();
      expect(await problemsOf(page)).toEqual([]);
    });

    it('on Models with nothing in it and everything wrong', async () => {
      const configProblems = [{ file: 'models.yaml', line: 12, message: '`contextsize` is not a setting.' }];
      const options = { context: { colorScheme }, models: [], decisions: [], server: { configProblems } };
      await using fixture = await openPage(browser, options);
      fixture.server.acceptEvents(false);
      fixture.server.dropEventStreams();
      await fixture.page.getByText('Connection lost').waitFor();
      expect(await problemsOf(fixture.page)).toEqual([]);
    });

    it.each([1180, 700])(
      'on Overview, %i wide: at rest, pointing at a segment, at a model',
      async (width) => {
        const context = { colorScheme, viewport: { width, height: 760 } };
        await using fixture = await openPage(browser, { context, route: 'overview' });
        const { page } = fixture;
        await page.getByRole('article', { name: 'mistral' }).waitFor();
        expect(await problemsOf(page)).toEqual([]);
        await page.getByRole('button', { name: /^qwen-coder 5/ }).hover();
        await page.getByRole('tooltip').waitFor();
        expect(await problemsOf(page)).toEqual([]);
        for (const id of ['phi', 'gemma-27b']) {
          await page.getByRole('button', { name: new RegExp(`^Load ${id} `) }).hover();
          await page.getByTestId('ghost').filter({ hasText: id }).waitFor();
          expect(await problemsOf(page)).toEqual([]);
        }
      },
    );

    it('on Overview, when memory is short and the budget is passed', async () => {
      await using fixture = await openPage(browser, { context: { colorScheme }, route: 'overview' });
      const { page, api } = fixture;
      api.changeMemory({ pressure: 'critical', overrunBytes: 2 ** 29 });
      await page.getByText('Critical memory pressure.').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      api.changeMemory({ pressure: 'warn' });
      await page.getByText('Memory pressure.', { exact: true }).waitFor();
      expect(await problemsOf(page)).toEqual([]);
    });

    it('on adding a model: choosing, moving its sliders, refused, dragging', async () => {
      await using fixture = await openPage(browser, { context: { colorScheme } });
      const { page } = fixture;
      await button(page, 'Add model').click();
      expect(await problemsOf(page)).toEqual([]);
      await page.getByLabel('Path of a file').fill('/models/Llama-3.3-70B-Q4_K_M.gguf');
      await page.keyboard.press('Enter');
      await page.getByText('Does not fit:').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      await button(page, 'Close').click();
      await button(page, 'Add model').click();
      await page.getByLabel('Path of a file').fill('/models/damaged.gguf');
      await page.keyboard.press('Enter');
      await page.getByText('Download it again.').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      await dragFiles(page, [{ name: 'a.gguf', content: Buffer.from('GGUF') }]);
      await page.getByTestId('drop-overlay').waitFor();
      expect(await problemsOf(page)).toEqual([]);
    });

    it('on Playground: empty, choosing, answering, failed', async () => {
      await using fixture = await openPage(browser, { context: { colorScheme }, route: 'playground' });
      const { page, clock } = fixture;
      expect(await problemsOf(page)).toEqual([]);

      await button(page, 'What is Roundhouse?').click();
      await runApp(clock, 2);
      await page.getByTestId('answer').waitFor();
      expect(await problemsOf(page)).toEqual([]);
      await runApp(clock, CANNED_ANSWER.split(' ').length - 2);
      await page.getByText('tok/s').waitFor();

      await page.getByRole('combobox', { name: 'Model' }).click();
      await page.getByRole('option', { name: /^storyteller/ }).hover();
      expect(await problemsOf(page)).toEqual([]);
      await page.getByRole('option', { name: /^storyteller/ }).click();
      await page.getByRole('textbox', { name: 'Message' }).fill('Hi');
      await page.keyboard.press('Enter');
      await page.getByText('Go to Models').waitFor();
      expect(await problemsOf(page)).toEqual([]);
    });
  });
});
