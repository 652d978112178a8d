import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type DesktopApp, runDesktop } from '../../src/main/desktop/shell.ts';
import type { AppApi } from '../../src/shared/contract.ts';
import { RoundhouseError } from '../../src/shared/errors.ts';
import { IPC } from '../../src/shared/ipc-channels.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { emitApp, emitShutdown, ending, forgetAll, preventable, record, windows } from './electron-stub.ts';

vi.mock('electron', () => import('./electron-stub.ts'));

/*
 * The shell and its window through their life, on a Mac and elsewhere, around an app of a few lines.
 */
let dataDir: string;
let clock: ManualClock;
let exits: number[];
let stops: number;
let stopped: PromiseWithResolvers<void>;
let subscribers: number;
let signals: AbortSignal[];

const api: AppApi = {
  call: async () => {
    throw new Error('no test here calls');
  },
  async *stream(_name, _input, signal) {
    signals.push(signal);
    yield { type: 'text-delta', text: 'a' };
    await new Promise((aborted) => signal.addEventListener('abort', aborted));
    yield { type: 'text-delta', text: 'late' };
  },
  subscribe() {
    subscribers++;
    return {
      [Symbol.dispose]() {
        subscribers--;
      },
    };
  },
};

beforeEach(() => {
  forgetAll();
  dataDir = mkdtempSync(join(tmpdir(), 'roundhouse-shell-'));
  clock = new ManualClock();
  exits = [];
  ending.exit = (code) => exits.push(code);
  stops = 0;
  stopped = Promise.withResolvers();
  subscribers = 0;
  signals = [];
  return () => rmSync(dataDir, { recursive: true });
});

async function run(platform: NodeJS.Platform, start: () => Promise<void> = async () => {}): Promise<void> {
  const settled = Promise.withResolvers<void>();
  const app: DesktopApp = {
    api,
    url: 'http://127.0.0.1:1',
    start,
    stop: () => {
      stops++;
      return stopped.promise;
    },
  };
  runDesktop({
    dataDir,
    interfaceDir: dataDir,
    preloadFile: '/preload.cjs',
    platform,
    clock,
    createApp: async () => app,
    onReady: () => settled.resolve(),
  });
  await Promise.race([settled.promise, vi.waitUntil(() => exits.length > 0)]);
}

const turn = () => new Promise(setImmediate);
const page = () => windows.at(-1)?.contents;

async function startStream(): Promise<string> {
  const id = randomUUID();
  const input = { model: 'demo', messages: [{ role: 'user', content: 'Hi' }], maxTokens: null, sampling: {} };
  page()?.ipc.emit(IPC.streamStart, { senderFrame: page()?.mainFrame }, id, 'chat.generate', input);
  page()?.ipc.emit(IPC.subscribe, { senderFrame: page()?.mainFrame }, randomUUID());
  await turn();
  expect(signals.map((signal) => signal.aborted)).toEqual([false]);
  expect(subscribers).toBe(1);
  return id;
}

describe('on a Mac', () => {
  it('draws its own title bar, lives on without a window, and opens one again', async () => {
    await run('darwin');
    expect(windows[0]?.options).toMatchObject({ titleBarStyle: 'hiddenInset' });
    windows[0]?.closeByUser();
    await turn();
    expect({ stops, exits }).toEqual({ stops: 0, exits: [] });
    emitApp('activate');
    expect(windows).toHaveLength(1);
    emitApp('activate');
    expect(windows).toHaveLength(1);
  });

  it('does not hold up a shutdown of the system', async () => {
    await run('darwin');
    emitShutdown();
    const event = preventable();
    emitApp('before-quit', event);
    expect({ prevented: event.defaultPrevented, stops }).toEqual({ prevented: false, stops: 1 });
  });
});

describe('elsewhere', () => {
  it('quits with its last window, once the app has stopped', async () => {
    await run('linux');
    windows[0]?.closeByUser();
    await turn();
    expect({ stops, exits }).toEqual({ stops: 1, exits: [] });
    stopped.resolve();
    await turn();
    expect(exits).toEqual([0]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('quitting', () => {
  it('stops the app once, however often it is asked', async () => {
    await run('darwin');
    for (let asked = 0; asked < 3; asked++) {
      const event = preventable();
      emitApp('before-quit', event);
      expect(event.defaultPrevented).toBe(true);
    }
    stopped.resolve();
    await turn();
    expect({ stops, exits }).toEqual({ stops: 1, exits: [0] });
  });

  it('does not wait for ever for an app that does not stop', async () => {
    await run('darwin');
    emitApp('before-quit', preventable());
    clock.advance(7_999);
    expect(exits).toEqual([]);
    clock.advance(1);
    expect(exits).toEqual([0]);
  });

  it('quits although stopping fails', async () => {
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await run('darwin');
    emitApp('before-quit', preventable());
    stopped.reject(new Error('the disk is gone'));
    await turn();
    expect(exits).toEqual([0]);
    expect(stderr).toHaveBeenCalledWith(expect.stringContaining('the disk is gone'));
    stderr.mockRestore();
  });
});

describe('a start that fails', () => {
  it('is told to the user, and ends with 1', async () => {
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await run('linux', async () => {
      throw new RoundhouseError('conflict', 'Port 4141 is in use.');
    });
    expect(exits).toEqual([1]);
    expect(windows).toEqual([]);
    expect(record).toContainEqual({
      what: 'dialog.showErrorBox',
      args: ['Roundhouse cannot start', 'Port 4141 is in use.'],
    });
    stderr.mockRestore();
  });
});

describe('what a page has open ends', () => {
  it.each([
    ['when its window closes', () => windows[0]?.closeByUser()],
    ['when its process is gone', () => page()?.emit('render-process-gone', {}, { reason: 'crashed' })],
    ['when it is reloaded', () => page()?.emit('did-navigate', {}, 'app://roundhouse/')],
  ])('%s', async (_name, happen) => {
    await run('darwin');
    const contents = page();
    await startStream();
    const before = contents?.sent.length;
    happen();
    await turn();
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    expect(subscribers).toBe(0);
    // Nothing more is said to a page that has not asked for it.
    expect(contents?.sent.length).toBe(before);
  });

  it('when the page cancels it, with its end told', async () => {
    await run('darwin');
    const id = await startStream();
    page()?.ipc.emit(IPC.cancel, { senderFrame: { origin: 'app://roundhouse' } }, id);
    expect(signals[0]?.aborted).toBe(false);
    page()?.ipc.emit(IPC.cancel, { senderFrame: page()?.mainFrame }, id);
    expect(signals[0]?.aborted).toBe(true);
    await turn();
    expect(page()?.sent.at(-1)).toEqual([IPC.streamEnd, id, { ok: true }]);
  });
});
