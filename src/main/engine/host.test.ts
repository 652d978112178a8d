import { describe, expect, test } from 'vitest';
import { collect } from '../../../test/fakes/collect.ts';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { SCRIPTED_REQUEST, ScriptedChild } from '../../../test/fakes/scripted-child.ts';
import { SMALL_HEADER } from '../../../test/fixtures/engine-header.ts';
import type { EngineSettings } from '../config/settings.ts';
import { EngineHost, type HostEvents } from './host.ts';

const MIB = 1024 ** 2;
const EMPTY_BYTES = 100 * MIB;
const SILENCE_LIMIT_MS = 20_000;
const SETTINGS: EngineSettings = {
  contextSize: 2048,
  parallel: 1,
  batchSize: 256,
  flashAttention: 'auto',
  cacheType: 'f16',
  threads: 'auto',
  gpuLayers: 0,
  chatTemplateFile: null,
};
const MODEL = { path: 'model.gguf', header: SMALL_HEADER, settings: SETTINGS };

/** What a host tells, in words, and a way to wait for the next of it. */
class Told {
  readonly all: string[] = [];
  readonly #waiting: { readonly text: string; readonly resolve: () => void }[] = [];

  add(text: string): void {
    this.all.push(text);
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.text === text) waiting.resolve();
      else this.#waiting.push(waiting);
    }
  }

  async until(text: string): Promise<void> {
    if (this.all.includes(text)) return;
    await new Promise<void>((resolve) => this.#waiting.push({ text, resolve }));
  }
}

function setUp(cores = 8) {
  const clock = new ManualClock();
  const told = new Told();
  const children: ScriptedChild[] = [];
  const footprints = new Map<number, number>();
  const on: HostEvents = {
    progress: (id, progress) => told.add(`progress ${id} ${progress}`),
    loaded: (id) => told.add(`loaded ${id}`),
    loadFailed: (id, error) => told.add(`loadFailed ${id}: ${error.code}`),
    exited: (id, { kept, reason }) =>
      told.add(`exited ${id}${kept ? ' kept' : ''}${reason ? `: ${reason}` : ''}`),
    standbyExited: (reason) => told.add(`standbyExited: ${reason}`),
    metalFound: (bytes) => told.add(`metal ${bytes}`),
    standbyMeasured: (bytes) => told.add(`standby holds ${bytes / MIB} MiB`),
  };
  const host = new EngineHost({
    spawn: () => {
      const child = new ScriptedChild(1000 + children.length);
      children.push(child);
      return child;
    },
    clock,
    silenceLimitMs: SILENCE_LIMIT_MS,
    stallLimitMs: 3 * SILENCE_LIMIT_MS,
    cores,
    footprintBytes: async (pid) => footprints.get(pid) ?? null,
    on,
  });
  const child = (index: number): ScriptedChild => {
    const found = children[index];
    if (!found) throw new Error(`child ${index} was not started`);
    return found;
  };
  const footprint = (index: number, bytes: number) => footprints.set(1000 + index, bytes);
  return { host, clock, told, children, child, footprint };
}

/** A host whose standby, child 0, has started and was measured. */
async function withStandby() {
  const it = setUp();
  it.host.startStandby();
  it.footprint(0, EMPTY_BYTES);
  it.child(0).saysReady();
  await it.told.until('standby holds 100 MiB');
  return it;
}

/** A host with a model in child 0, that was a standby before. */
async function withModel() {
  const it = await withStandby();
  it.host.load('a', MODEL);
  await it.child(0).told('load');
  it.child(0).saysLoaded();
  await it.told.until('loaded a');
  return it;
}

describe('a load', () => {
  test('takes the standby where there is one', async () => {
    const { host, children, child, told } = await withModel();
    expect(children).toHaveLength(1);
    expect(host.engineOf('a')?.pid).toBe(1000);
    host.load('b', MODEL);
    expect(children).toHaveLength(2);
    child(1).saysReady();
    await child(1).told('load');
    child(1).say({ type: 'progress', progress: 0.25 });
    child(1).saysLoaded();
    await told.until('loaded b');
    expect(told.all).toContain('progress b 0.25');
    expect(host.pids()).toEqual([1000, 1001]);
  });

  test('that fails ends its process and is told of when that has ended', async () => {
    const { host, child, told } = await withStandby();
    child(0).diesAtOnce = false;
    host.load('a', MODEL);
    await child(0).told('load');
    const error = { code: 'model_load_failed', message: 'bad magic', param: null, retryAfterMs: null };
    child(0).say({ type: 'failed', error });
    await expect.poll(() => child(0).killed).toBe(true);
    expect(told.all.at(-1)).toBe('standby holds 100 MiB');
    child(0).exit({ code: null, signal: 'SIGKILL' });
    expect(told.all.at(-1)).toBe('loadFailed a: model_load_failed');
    expect(host.pids()).toEqual([]);
  });

  test.each([false, true])('whose process ends is told of once (had started: %s)', async (started) => {
    const { host, child, told } = setUp();
    host.load('a', MODEL);
    if (started) {
      child(0).saysReady();
      await child(0).told('load');
    }
    child(0).exit({ code: 134, signal: null });
    await host.close();
    expect(told.all).toEqual(['exited a: its process ended with code 134']);
    expect(host.engineOf('a')).toBeUndefined();
  });

  test('whose process the system kills has run out of memory', async () => {
    const { host, child, told } = setUp();
    host.load('a', MODEL);
    child(0).saysReady();
    await child(0).told('load');
    child(0).exit({ code: null, signal: 'SIGKILL' });
    expect(told.all).toEqual(['loadFailed a: insufficient_memory']);
    expect(host.pids()).toEqual([]);
  });

  test('that was done before the system killed its process has not', async () => {
    const { child, told } = await withModel();
    child(0).exit({ code: null, signal: 'SIGKILL' });
    expect(told.all.at(-1)).toBe('exited a: its process was ended by SIGKILL');
  });

  test('that hangs is ended by the watchdog', async () => {
    const { host, child, clock, told } = setUp();
    host.load('a', MODEL);
    child(0).saysReady();
    await child(0).told('load');
    clock.advance(SILENCE_LIMIT_MS);
    expect(told.all).toEqual(['exited a: it was silent for 20 s while it had work, so it was ended']);
  });
});

test('a model that is being stopped is not measured: half emptied, it would teach what is not so', async () => {
  const { host } = await withModel();
  expect(await host.measure('a')).not.toBeNull();
  const asked = host.measure('a');
  host.stop('a', true);
  expect([await asked, await host.measure('a')]).toEqual([null, null]);
});

describe('a stop', () => {
  test('keeps a process that came out empty, and the next load takes it', async () => {
    const { host, children, child, footprint, told } = await withModel();
    footprint(0, EMPTY_BYTES + 16 * MIB);
    host.stop('a', true);
    await child(0).told('unload');
    child(0).say({ type: 'unloaded' });
    await told.until('exited a kept');
    expect(host.engineOf('a')).toBeUndefined();
    expect(child(0).killed).toBe(false);
    host.load('b', MODEL);
    expect(children).toHaveLength(1);
    expect(host.engineOf('b')?.pid).toBe(1000);
  });

  test('has a process that holds too much collect its garbage, and keeps it if that was all', async () => {
    const { host, child, footprint, told } = await withModel();
    footprint(0, EMPTY_BYTES + 16 * MIB + 1);
    host.stop('a', true);
    await child(0).told('unload');
    child(0).say({ type: 'unloaded' });
    await child(0).told('collect');
    footprint(0, EMPTY_BYTES + 16 * MIB);
    child(0).say({ type: 'collected' });
    await told.until('exited a kept');
    expect(child(0).killed).toBe(false);
  });

  test('ends a process that did not give its memory back', async () => {
    const { host, child, footprint, told } = await withModel();
    footprint(0, EMPTY_BYTES + 16 * MIB + 1);
    host.stop('a', true);
    await child(0).told('unload');
    child(0).say({ type: 'unloaded' });
    await child(0).told('collect');
    child(0).say({ type: 'collected' });
    await told.until('exited a');
    expect(child(0).killed).toBe(true);
    expect(host.pids()).toEqual([]);
    // Nor is it tried again with this model: the next standby can start the sooner.
    host.load('a', MODEL);
    child(1).saysReady();
    await child(1).told('load');
    child(1).saysLoaded();
    host.stop('a', true);
    expect(child(1).sentTypes()).not.toContain('unload');
    expect(child(1).killed).toBe(true);
  });

  test('ends a process when no empty one was ever measured', async () => {
    const { host, child, told } = setUp();
    host.load('a', MODEL);
    child(0).saysReady();
    await child(0).told('load');
    child(0).saysLoaded();
    await told.until('loaded a');
    host.stop('a', true);
    await child(0).told('unload');
    child(0).say({ type: 'unloaded' });
    await told.until('exited a');
    expect(child(0).killed).toBe(true);
    expect(child(0).sentTypes()).not.toContain('collect');
  });

  test('ends the process at once where none is to be kept', async () => {
    const { host, child, told } = await withModel();
    host.stop('a', false);
    expect(child(0).sentTypes()).not.toContain('unload');
    expect(told.all.at(-1)).toBe('exited a');
  });

  test('while loading aborts the load, which is not told of as failed or loaded', async () => {
    const { host, child, told } = await withStandby();
    host.load('a', MODEL);
    await child(0).told('load');
    host.stop('a', true);
    await child(0).told('unload');
    const error = { code: 'model_load_failed', message: 'aborted', param: null, retryAfterMs: null };
    child(0).say({ type: 'failed', error });
    child(0).say({ type: 'unloaded' });
    await told.until('exited a kept');
    expect(told.all).toEqual(['standby holds 100 MiB', 'exited a kept']);
  });

  test('that crosses the end of the load is told of as stopped only', async () => {
    const { host, child, told } = await withStandby();
    host.load('a', MODEL);
    await child(0).told('load');
    child(0).saysLoaded();
    host.stop('a', true);
    await child(0).told('unload');
    child(0).say({ type: 'unloaded' });
    await told.until('exited a kept');
    expect(told.all).toEqual(['standby holds 100 MiB', 'exited a kept']);
  });

  test('while the process is still starting waits for it, and leaves it empty', async () => {
    const { host, child, footprint, told } = setUp();
    host.load('a', MODEL);
    host.stop('a', true);
    expect(child(0).sent).toEqual([]);
    footprint(0, EMPTY_BYTES);
    child(0).saysReady();
    await child(0).told('unload');
    // What was not begun is not begun any more.
    expect(child(0).sentTypes()).toEqual(['unload']);
    child(0).say({ type: 'unloaded' });
    // None was measured empty before, so this one cannot be known to be.
    await told.until('exited a');
    expect(told.all).toEqual(['exited a']);
  });

  test('is told of when the process ends before it has emptied', async () => {
    const { host, child, told } = await withModel();
    host.stop('a', true);
    await child(0).told('unload');
    child(0).exit({ code: null, signal: 'SIGSEGV' });
    await host.close();
    expect(told.all.slice(-1)).toEqual(['exited a: its process was ended by SIGSEGV']);
  });

  test('of a process that hangs ends it', async () => {
    const { host, child, clock, told } = await withModel();
    host.stop('a', true);
    await child(0).told('unload');
    clock.advance(SILENCE_LIMIT_MS);
    expect(child(0).killed).toBe(true);
    expect(told.all.at(-1)).toContain('exited a');
  });

  test('of a model that is not there is told of at once', () => {
    const { host, told } = setUp();
    host.stop('a', true);
    expect(told.all).toEqual(['exited a']);
  });
});

test('a crash in mid-answer is an error for its reader and an end with words for the rest', async () => {
  const { host, child, told } = await withModel();
  const engine = host.engineOf('a');
  if (!engine) throw new Error('the model has no engine');
  const answer = collect(engine.generate(SCRIPTED_REQUEST, new AbortController().signal));
  await child(0).told('generate');
  child(0).saysParts(1, { type: 'text-delta', text: 'a' });
  child(0).exit({ code: null, signal: 'SIGABRT' });
  expect(await answer).toMatchObject([
    { type: 'text-delta' },
    { type: 'error', error: { code: 'engine_failed' } },
  ]);
  expect(told.all.at(-1)).toBe('exited a: its process was ended by SIGABRT');
});

describe('a standby', () => {
  test('that ends by itself is told of, with the reason', async () => {
    const { host, child, told } = await withStandby();
    child(0).exit({ code: 1, signal: null });
    expect(told.all.at(-1)).toBe('standbyExited: its process ended with code 1');
    expect(host.pids()).toEqual([]);
  });

  test('that is stopped is not', async () => {
    const { host, child, told } = await withStandby();
    host.stopStandby();
    expect(child(0).killed).toBe(true);
    expect(told.all).toEqual(['standby holds 100 MiB']);
    host.stopStandby();
  });

  test('that is being stopped takes no load', async () => {
    const { host, children, child } = await withStandby();
    child(0).diesAtOnce = false;
    host.stopStandby();
    host.load('a', MODEL);
    expect(children).toHaveLength(2);
  });

  test('finds Metal', () => {
    const { host, child, told } = setUp();
    host.startStandby();
    child(0).say({ type: 'ready', gpuBytes: 42, build: 'scripted' });
    return told.until('metal 42');
  });
});

test('threads are shared out anew whenever an engine comes, goes or is emptied', async () => {
  const { host, child, footprint, told } = await withModel();
  const threadsOf = (index: number) =>
    child(index).sent.flatMap((message) => ('threads' in message ? [message.threads] : []));
  expect(threadsOf(0).at(-1)).toBe(7);
  host.load('b', MODEL);
  child(1).saysReady();
  await child(1).told('load');
  child(1).saysLoaded();
  await told.until('loaded b');
  expect([threadsOf(0).at(-1), threadsOf(1).at(-1)]).toEqual([3, 3]);

  footprint(1, EMPTY_BYTES);
  host.stop('b', true);
  await child(1).told('unload');
  child(1).say({ type: 'unloaded' });
  await told.until('exited b kept');
  expect(threadsOf(0).at(-1)).toBe(7);

  host.load('c', { ...MODEL, settings: { ...SETTINGS, threads: 2 } });
  await expect.poll(() => threadsOf(1).at(-1)).toBe(2);
  expect(threadsOf(0).at(-1)).toBe(3);
  child(1).exit({ code: 1, signal: null });
  expect(threadsOf(0).at(-1)).toBe(7);
});

describe('closing', () => {
  test('ends every process and waits for each', async () => {
    const { host, child } = await withModel();
    host.load('b', MODEL);
    host.startStandby();
    for (const index of [0, 1, 2]) child(index).diesAtOnce = false;
    let closed = false;
    const closing = host.close().then(() => {
      closed = true;
    });
    for (const index of [2, 0, 1]) {
      expect(child(index).killed).toBe(true);
      expect(closed).toBe(false);
      child(index).exit({ code: null, signal: 'SIGKILL' });
      await Promise.resolve();
    }
    await closing;
    expect(host.pids()).toEqual([]);
  });

  test('with nothing running is done at once', () => setUp().host.close());
});

test('a model is measured by its process, and one that is gone is not', async () => {
  const { host, footprint } = await withModel();
  footprint(0, 300 * MIB);
  expect(await host.measure('a')).toBe(300 * MIB);
  expect(await host.measure('b')).toBeNull();
});
