import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BridgeResult } from '../../src/shared/bridge.ts';
import { CONTENT_SECURITY_POLICY } from '../../src/shared/content-security-policy.ts';
import type { AppEvent, Snapshot } from '../../src/shared/contract.ts';
import type { StreamPart } from '../../src/shared/generation.ts';
import { IPC } from '../../src/shared/ipc-channels.ts';
import { DesktopApp } from './desktop-app.ts';

/*
 * The built main bundle with the stub in Electron's place: what the window is made with, what the app lets in, and a
 * chat over IPC with a real engine behind it.
 */
let dataDir: string;
beforeEach(() => {
  vi.setConfig({ testTimeout: 60_000 });
});

function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'roundhouse-desktop-'));
}

describe('the built desktop app', () => {
  let app: DesktopApp;
  let url: string;

  beforeAll(async () => {
    dataDir = newDataDir();
    app = new DesktopApp({ args: ['--port', '0', '--data-dir', dataDir], env: { OPENAI_API_KEY: 'canary' } });
    url = await app.ready;
  });
  afterAll(async () => {
    await app.kill();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const messages = async (channel: string, id: string) =>
    (await app.do('sent'))
      .filter(([name, about]) => name === channel && about === id)
      .map(([, , value]) => value);
  const recorded = async (what: string) =>
    (await app.do('record')).filter((entry) => entry.what === what).map(({ args }) => args);

  it('opens one window on its own scheme, locked down', async () => {
    const windows = await app.do('windows');
    expect(windows).toHaveLength(1);
    expect(windows[0]).toMatchObject({ url: 'app://roundhouse/', visible: true });
    expect(windows[0]?.options.webPreferences).toEqual({
      preload: join(process.cwd(), 'out/preload/index.cjs'),
      contextIsolation: true,
      sandbox: true,
      webSecurity: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      allowRunningInsecureContent: false,
      spellcheck: false,
      devTools: true,
    });
    expect(existsSync('out/preload/index.cjs')).toBe(true);
    const [[schemes]] = (await recorded('protocol.registerSchemesAsPrivileged')) as [[unknown]];
    expect(schemes).toEqual([
      {
        scheme: 'app',
        privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
      },
    ]);
  });

  it('keeps its files in the data folder, and Chromium’s in a folder of its own there', async () => {
    expect(await recorded('app.setPath')).toEqual([
      ['userData', dataDir],
      ['sessionData', join(dataDir, 'browser')],
    ]);
  });

  it('serves the interface with its security policy', async () => {
    for (const address of ['app://roundhouse/', 'app://roundhouse/index.html?x#y']) {
      const page = await app.do('fetch', address);
      expect(page).toMatchObject({ status: 200, body: expect.stringContaining('id="root"') });
      expect(page?.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': CONTENT_SECURITY_POLICY,
        'x-content-type-options': 'nosniff',
      });
    }
    const page = await app.do('fetch', 'app://roundhouse/');
    const script = /<script[^>]*src="\.?\/?([^"]+)"/.exec(page?.body ?? '')?.[1];
    expect(await app.do('fetch', `app://roundhouse/${script}`)).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/javascript; charset=utf-8' },
    });
  });

  it.each([
    ['app://roundhouse/..%2fmain%2findex.js', 404],
    ['app://roundhouse/%2e%2e/main/index.js', 404],
    ['app://roundhouse/..%5c..%5cpackage.json', 404],
    ['app://roundhouse/%2fetc%2fpasswd', 404],
    ['app://roundhouse/assets', 404],
    ['app://roundhouse/%', 404],
    ['app://roundhouse/a%00.html', 404],
    ['app://elsewhere/index.html', 403],
  ])('serves nothing at %s', async (address, status) => {
    expect(await app.do('fetch', address)).toMatchObject({ status, body: '' });
  });

  it('serves nothing to a POST', async () => {
    expect(await app.do('fetch', 'app://roundhouse/', 'POST')).toMatchObject({ status: 403 });
  });

  it('answers a call from its window', async () => {
    // The reply to `app.snapshot` is a snapshot.
    const reply = (await app.do('invoke', 'window', IPC.call, 'app.snapshot', {})) as BridgeResult<Snapshot>;
    expect(reply).toMatchObject({ ok: true, value: { server: { shell: 'desktop', url, dataDir } } });
    expect(reply.ok && reply.value.models.map((model) => model.id)).toContain('demo');
  });

  it.each(['subframe', 'other-origin', 'gone'] as const)(
    'refuses a call from elsewhere: %s',
    async (sender) => {
      expect(await app.do('invoke', sender, IPC.call, 'app.snapshot', {})).toMatchObject({
        ok: false,
        error: { code: 'origin_not_allowed' },
      });
      const id = randomUUID();
      await app.do('send', sender, IPC.subscribe, id);
      expect(await messages(IPC.event, id)).toEqual([]);
    },
  );

  it.each([
    ['models.load', { id: 7 }, 'invalid_request'],
    ['models.load', { id: 'demo', force: true }, 'invalid_request'],
    ['models.load', null, 'invalid_request'],
    ['app.quit', {}, 'not_found'],
    ['__proto__', {}, 'not_found'],
    [{ toString: 1 }, {}, 'not_found'],
    ['models.load', { id: 'no-such-model' }, 'model_not_found'],
  ])('refuses the call %j with %j', async (name, input, code) => {
    expect(await app.do('invoke', 'window', IPC.call, name, input)).toMatchObject({
      ok: false,
      error: { code },
    });
  });

  it('sends a snapshot and then changes to a subscriber, until it leaves', async () => {
    const id = randomUUID();
    await app.do('send', 'window', IPC.subscribe, id);
    const events = async () => (await messages(IPC.event, id)) as AppEvent[];
    expect((await events())[0]).toMatchObject({ type: 'snapshot' });
    await app.do('invoke', 'window', IPC.call, 'models.load', { id: 'demo' });
    await expect.poll(async () => (await events()).some((event) => event.type === 'model')).toBe(true);
    await app.do('send', 'window', IPC.cancel, id);
    const seen = (await events()).length;
    await app.do('invoke', 'window', IPC.call, 'models.unload', { id: 'demo' });
    expect(await events()).toHaveLength(seen);
  });

  it('streams a chat with the demo model from an engine in a utility process', async () => {
    const id = randomUUID();
    const messagesIn = [{ role: 'user', content: 'What is Roundhouse?' }];
    const input = { model: 'demo', messages: messagesIn, maxTokens: 40, sampling: { temperature: 0 } };
    await app.do('send', 'window', IPC.streamStart, id, 'chat.generate', input);
    await expect.poll(() => messages(IPC.streamEnd, id), { timeout: 30_000 }).toEqual([{ ok: true }]);
    const parts = (await messages(IPC.streamPart, id)) as StreamPart[];
    const answer = parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');
    expect(answer).toContain('Roundhouse');
    expect(parts.map((part) => part.type).slice(-2)).toEqual(['finish', 'usage']);

    const [modulePath, , options] = (await recorded('utilityProcess.fork')).at(-1) as [
      string,
      unknown,
      unknown,
    ];
    expect(modulePath).toBe(join(process.cwd(), 'out/main/engine-child.js'));
    expect(options).toMatchObject({ serviceName: 'Roundhouse engine' });
  });

  it('gives an engine none of the keys in its environment', async () => {
    const forks = await recorded('utilityProcess.fork');
    expect(forks.length).toBeGreaterThan(0);
    expect(JSON.stringify(forks)).not.toContain('canary');
  });

  it('ends a stream that the page cancels', async () => {
    const id = randomUUID();
    const input = {
      model: 'demo',
      messages: [{ role: 'user', content: 'Hello' }],
      maxTokens: null,
      sampling: {},
    };
    await app.do('send', 'window', IPC.streamStart, id, 'chat.generate', input);
    await app.do('send', 'window', IPC.cancel, id);
    await expect.poll(() => messages(IPC.streamEnd, id)).toHaveLength(1);
  });

  it('refuses a stream that does not fit the contract', async () => {
    for (const [name, input] of [
      ['chat.generate', { model: 'demo' }],
      ['models.load', { id: 'demo' }],
    ] as const) {
      const id = randomUUID();
      await app.do('send', 'window', IPC.streamStart, id, name, input);
      await expect.poll(() => messages(IPC.streamEnd, id)).toMatchObject([{ ok: false }]);
      expect(await messages(IPC.streamPart, id)).toEqual([]);
    }
  });

  it('lets the page go nowhere, and opens known sites outside', async () => {
    const nowhere = { frame: false, redirect: false, webview: false, window: false };
    expect(await app.do('navigate', 'https://elsewhere.test/')).toEqual(nowhere);
    expect(await app.do('navigate', 'http://github.com/')).toEqual(nowhere);
    expect(await app.do('navigate', 'https://github.com:444/')).toEqual(nowhere);
    expect(await app.do('navigate', 'https://github.com.elsewhere.test/')).toEqual(nowhere);
    expect(await app.do('navigate', 'file:///etc/passwd')).toEqual(nowhere);
    expect(await app.do('navigate', 'javascript:alert(1)')).toEqual(nowhere);
    expect(await recorded('shell.openExternal')).toEqual([]);
    expect(await app.do('navigate', 'https://huggingface.co/models')).toEqual(nowhere);
    // Once for the link that would navigate, once for the one that would open a window.
    expect(await recorded('shell.openExternal')).toEqual(Array(2).fill(['https://huggingface.co/models']));
  });

  it('grants no permission', async () => {
    for (const name of ['media', 'notifications', 'clipboard-read'] as const) {
      expect(await app.do('permission', name)).toEqual({ requested: false, checked: false, device: false });
    }
  });

  it('comes forward when a second instance is started', async () => {
    await app.do('emitApp', 'second-instance');
    expect(await recorded('window.focus')).toHaveLength(1);
    expect(await app.do('windows')).toHaveLength(1);
  });
});

describe('the built desktop app, its end', () => {
  let app: DesktopApp;
  beforeEach(() => {
    dataDir = newDataDir();
    return async () => {
      await app.kill();
      rmSync(dataDir, { recursive: true, force: true });
    };
  });

  it('stops the engines and the port before it quits', async () => {
    app = new DesktopApp({ args: ['--port', '0', '--data-dir', dataDir] });
    const url = await app.ready;
    await app.do('invoke', 'window', IPC.call, 'models.load', { id: 'demo' });
    void app.do('closeWindow');
    // 99 if an engine were still running then.
    expect(await app.exit, await app.stderr).toBe(0);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it('ends at once as a second instance, and says why', async () => {
    app = new DesktopApp({ args: ['--data-dir', dataDir], env: { STUB_SECOND_INSTANCE: '1' } });
    expect(await app.exit).toBe(0);
    expect(await app.stderr).toContain('already running');
  });

  it('says that its port is in use, and ends with 1', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    app = new DesktopApp({ args: ['--port', String(port), '--data-dir', dataDir] });
    expect(await app.exit).toBe(1);
    expect(await app.stderr).toContain(String(port));
    server.close();
  });

  it.each([
    ['the data folder', ''],
    ['a folder in it', 'browser'],
  ])('says that %s is a file and what to do, and ends with 1 without a window', async (_, name) => {
    const dir = join(dataDir, 'taken');
    const file = name === '' ? dir : join(dir, name);
    if (name !== '') mkdirSync(dir);
    writeFileSync(file, '');
    app = new DesktopApp({ args: ['--data-dir', dir] });
    expect(await app.exit).toBe(1);
    expect(await app.stderr).toMatch(
      /cannot be used: where a folder is needed there is a file .*--data-dir DIR/,
    );
    expect(await app.stderr).toContain(`${file} cannot`);
    expect(await app.stderr).not.toContain('    at ');
  });

  it('says which option is wrong, and ends with 1 without a window', async () => {
    app = new DesktopApp({ args: ['--port', 'many', '--data-dir', dataDir] });
    expect(await app.exit).toBe(1);
    expect(await app.stderr).toContain('--port many is not a port');
  });
});
