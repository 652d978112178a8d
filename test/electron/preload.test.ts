import { existsSync, readFileSync, statSync } from 'node:fs';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RoundhouseBridge } from '../../src/shared/bridge.ts';
import { IPC } from '../../src/shared/ipc-channels.ts';
import { type PreloadProbe, pageHalf, preloadHalf } from './preload-world.ts';

/*
 * The built preload in real Chromium: in an isolated world, with no Node in it, and only Electron stood in for.
 */
const PRELOAD_FILE = 'out/preload/index.cjs';
const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];
const MORE_FLAGS = ['--disable-component-update', '--disable-sync', '--no-first-run'];
const WORLD = 'preload';
const PAGE_URL = 'https://roundhouse.test/';

/** Every member of the bridge, and nothing else: the compiler holds this list complete. */
const BRIDGE_KEYS: Readonly<Record<keyof RoundhouseBridge, true>> = {
  call: true,
  stream: true,
  subscribe: true,
  pathForFile: true,
};

/** The page's side, as its scripts see it. */
declare const roundhouse: RoundhouseBridge;
declare const seen: unknown[];

const hasChromium = existsSync(CHROMIUM);
if (!hasChromium) console.log('SKIPPED: no Chromium (apt-get install chromium)');

describe.runIf(hasChromium)('the built preload', () => {
  let browser: Browser;
  let page: Page;
  let devtools: CDPSession;
  let worldId: number;
  let preloadErrors: string[];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...MORE_FLAGS] });
  });
  afterAll(async () => {
    await browser.close();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    devtools = await page.context().newCDPSession(page);
    preloadErrors = [];
    devtools.on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name === WORLD && context.origin === new URL(PAGE_URL).origin) worldId = context.id;
    });
    devtools.on('Runtime.exceptionThrown', ({ exceptionDetails }) => {
      preloadErrors.push(exceptionDetails.exception?.description ?? exceptionDetails.text);
    });
    await devtools.send('Runtime.enable');
    await devtools.send('Page.enable');
    await devtools.send('Page.addScriptToEvaluateOnNewDocument', { source: `(${pageHalf})()` });
    await devtools.send('Page.addScriptToEvaluateOnNewDocument', {
      worldName: WORLD,
      source: `(({ require, probe }) => {
        globalThis.nodeGlobals = [typeof process, typeof Buffer, typeof module, typeof exports, typeof global];
        globalThis.ipc = probe;
        ${readFileSync(PRELOAD_FILE, 'utf8')}
      })((${preloadHalf})())`,
    });
    await page.route(PAGE_URL, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<title>x</title>' }),
    );
    await page.goto(PAGE_URL);
    await page.evaluate(() => Object.assign(globalThis, { seen: [] }));
    return () => page.close();
  });

  /** Runs in the preload's world and copies the answer out. */
  async function inPreload<Result>(expression: string): Promise<Result> {
    const { result, exceptionDetails } = await devtools.send('Runtime.evaluate', {
      expression,
      contextId: worldId,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    // The protocol says only that it is JSON.
    return result.value as Result;
  }
  const sent = () => inPreload<PreloadProbe['sent']>('ipc.sent');
  const deliver = (channel: string, ...args: unknown[]) =>
    inPreload(`ipc.deliver(${[channel, ...args].map((arg) => JSON.stringify(arg)).join(', ')})`);

  it('runs without any of Node, and is one small file', async () => {
    expect(preloadErrors).toEqual([]);
    expect(await inPreload('nodeGlobals')).toEqual(Array(5).fill('undefined'));
    expect(statSync(PRELOAD_FILE).size).toBeLessThan(8_000);
  });

  it('gives the page exactly the bridge, and keeps the rest to itself', async () => {
    expect(await page.evaluate(() => Object.keys(roundhouse).sort())).toEqual(
      Object.keys(BRIDGE_KEYS).sort(),
    );
    const leaked = await page.evaluate(() =>
      ['require', 'process', 'ipc', 'electron', 'ipcRenderer', 'nodeGlobals'].filter(
        (name) => name in globalThis,
      ),
    );
    expect(leaked).toEqual([]);
  });

  it('passes a call on and its answer back', async () => {
    await inPreload('void (ipc.answer = { ok: true, value: [{ id: "demo" }] })');
    expect(await page.evaluate(() => roundhouse.call('models.load', { id: 'demo' }))).toEqual({
      ok: true,
      value: [{ id: 'demo' }],
    });
    expect(await sent()).toEqual([{ channel: IPC.call, args: ['models.load', { id: 'demo' }] }]);
  });

  it.each(['app.quit', '__proto__', 'constructor', '', 'chat.generate'])(
    'refuses the unknown call %j without asking the main process',
    async (name) => {
      const reply = await page.evaluate((asked) => roundhouse.call(asked as 'app.snapshot', {}), name);
      expect(reply).toMatchObject({ ok: false, error: { code: 'not_found' } });
      expect(await sent()).toEqual([]);
    },
  );

  it('refuses an unknown stream without asking the main process', async () => {
    const end = await page.evaluate(
      () => roundhouse.stream('app.snapshot' as 'chat.generate', {} as never, () => {}).done,
    );
    expect(end).toMatchObject({ ok: false, error: { code: 'not_found' } });
    expect(await sent()).toEqual([]);
  });

  it('carries a stream: start, parts in order, end', async () => {
    await page.evaluate(() => {
      const input = { model: 'demo', messages: [], maxTokens: null, sampling: {} };
      const { done } = roundhouse.stream('chat.generate', input, (part) => seen.push(part));
      void done.then((end) => seen.push(end));
    });
    const [start] = await sent();
    expect(start).toMatchObject({
      channel: IPC.streamStart,
      args: [expect.any(String), 'chat.generate', {}],
    });
    const id = start?.args[0];
    await deliver(IPC.streamPart, id, { type: 'text-delta', text: 'a' });
    await deliver(IPC.streamPart, 'another-id', { type: 'text-delta', text: 'x' });
    await deliver(IPC.streamPart, id, { type: 'text-delta', text: 'b' });
    await deliver(IPC.streamEnd, id, { ok: true });
    await deliver(IPC.streamPart, id, { type: 'text-delta', text: 'late' });
    expect(await page.evaluate(() => seen)).toEqual([
      { type: 'text-delta', text: 'a' },
      { type: 'text-delta', text: 'b' },
      { ok: true },
    ]);
  });

  it('cancels a stream while it runs, and only then', async () => {
    await page.evaluate(() => {
      const input = { model: 'demo', messages: [], maxTokens: null, sampling: {} };
      Object.assign(globalThis, { running: roundhouse.stream('chat.generate', input, () => {}) });
    });
    const [start] = await sent();
    const id = start?.args[0];
    await page.evaluate('running.cancel()');
    expect(await sent()).toEqual([start, { channel: IPC.cancel, args: [id] }]);
    await deliver(IPC.streamEnd, id, { ok: true });
    await page.evaluate('running.cancel()');
    expect(await sent()).toHaveLength(2);
  });

  it('delivers events until the page unsubscribes', async () => {
    await page.evaluate(() => {
      Object.assign(globalThis, { leave: roundhouse.subscribe((event) => seen.push(event)) });
    });
    const [subscribed] = await sent();
    expect(subscribed?.channel).toBe(IPC.subscribe);
    const id = subscribed?.args[0];
    await deliver(IPC.event, id, { type: 'snapshot', snapshot: { models: [] } });
    await deliver(IPC.event, id, { type: 'decision', decision: { id: 1 } });
    await page.evaluate('leave(); leave();');
    await deliver(IPC.event, id, { type: 'decision', decision: { id: 2 } });
    expect(await page.evaluate(() => seen)).toEqual([
      { type: 'snapshot', snapshot: { models: [] } },
      { type: 'decision', decision: { id: 1 } },
    ]);
    expect(await sent()).toEqual([subscribed, { channel: IPC.cancel, args: [id] }]);
  });

  it('tells where a dropped file lies', async () => {
    const path = await page.evaluate(() => roundhouse.pathForFile(new File(['x'], 'model.gguf')));
    expect(path).toBe('/dropped/model.gguf');
  });
});
