import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { FakeApp, type FakeAppOptions } from '../fakes/fake-app.ts';
import { type FakeInterfaceServer, startFakeInterfaceServer } from '../fakes/fake-interface-server.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

const INTERFACE_DIR = fileURLToPath(new URL('../../out/renderer', import.meta.url));

export interface PageFixture extends AsyncDisposable {
  readonly page: Page;
  readonly api: FakeApp;
  /** Moves the app; the page itself lives in real time. */
  readonly clock: ManualClock;
  readonly server: FakeInterfaceServer;
  /** What the page complained about: scripts, its policy, failed requests. */
  readonly complaints: readonly string[];
}

export interface PageOptions extends Omit<FakeAppOptions, 'clock'> {
  readonly context?: BrowserContextOptions;
  readonly route?: 'overview' | 'models' | 'requests' | 'cost' | 'playground' | 'providers';
  /** As in `startFakeInterfaceServer`. */
  readonly holdUploads?: Promise<void>;
}

/** The built page over an app that moves only when told, connected and drawn. */
export async function openPage(browser: Browser, options: PageOptions = {}): Promise<PageFixture> {
  if (!existsSync(INTERFACE_DIR)) throw new Error('out/renderer is missing: run `npm run build` first');
  const clock = new ManualClock(Date.now());
  const api = new FakeApp({ ...options, clock });
  const server = await startFakeInterfaceServer({
    api,
    token: 'secret',
    interfaceDir: INTERFACE_DIR,
    ...(options.holdUploads === undefined ? {} : { holdUploads: options.holdUploads }),
  });
  const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, ...options.context });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.goto(`${server.url}/#/${options.route ?? 'models'}`);
  await page.getByText('Serving').waitFor();
  return {
    page,
    api,
    clock,
    server,
    complaints,
    async [Symbol.asyncDispose]() {
      await context.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Lets the app run through `steps` of its pauses, each as soon as it has begun. */
export async function runApp(clock: ManualClock, steps: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    await clock.untilTimers(1);
    clock.advance(1_000);
  }
}

/** Resolves once nothing on the page moves any more. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    'Promise.allSettled(document.getAnimations().filter((one) => one.effect.getComputedTiming().iterations !== Infinity).map((one) => one.finished))',
  );
}

/** What axe finds, once nothing moves: what fades in has less contrast on its way. */
export async function problemsOf(page: Page): Promise<readonly string[]> {
  await settled(page);
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join('; ')}`);
}

/** What is dropped on the page: a name and what is in it. */
export interface Dropped {
  readonly name: string;
  readonly content: Buffer;
}

/** Drags files over the page; `drop` lets them go. They are real `File`s, as a browser makes of files on a disk. */
export async function dragFiles(page: Page, files: readonly Dropped[]): Promise<{ drop(): Promise<void> }> {
  const encoded = files.map(({ name, content }) => ({ name, base64: content.toString('base64') }));
  // Built inside the page: a DataTransfer cannot be handed over.
  const transfer = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of ${JSON.stringify(encoded)}) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    return transfer;
  })()`);
  await page.dispatchEvent('main', 'dragenter', { dataTransfer: transfer });
  await page.dispatchEvent('main', 'dragover', { dataTransfer: transfer });
  return { drop: () => page.dispatchEvent('main', 'drop', { dataTransfer: transfer }) };
}

/** The accessible name, as far as these pages need it, of what has the keyboard's focus. */
function focusedName(page: Page): Promise<string> {
  return page.evaluate(
    '(document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.labels?.[0]?.textContent ?? document.activeElement?.textContent ?? "").trim()',
  );
}

/** Presses Tab until `name` has the focus; each stop on the way must show that it has it. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await focusedName(page);
    const shown = await page.evaluate(
      '["TEXTAREA", "BODY"].includes(document.activeElement.tagName) || getComputedStyle(document.activeElement).outlineStyle !== "none"',
    );
    if (shown !== true) throw new Error(`${focused} has the focus and does not show it`);
    if (focused === name) return;
    passed.push(focused);
  }
  throw new Error(`Tab never came to ${name}, but to: ${passed.join(', ')}`);
}
