import { describe, expect, test } from 'vitest';
import { collect } from '../../../test/fakes/collect.ts';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { SCRIPTED_INFO, SCRIPTED_REQUEST, ScriptedChild } from '../../../test/fakes/scripted-child.ts';
import { SMALL_HEADER } from '../../../test/fixtures/engine-header.ts';
import type { StreamPart } from '../../shared/generation.ts';
import { Engine, type EngineExit } from './engine.ts';
import type { LoadRequest } from './protocol.ts';

const SILENCE_LIMIT_MS = 20_000;
const NEVER = new AbortController().signal;
const LOAD: Omit<LoadRequest, 'threads'> = {
  path: 'model.gguf',
  header: SMALL_HEADER,
  settings: {
    contextSize: 2048,
    parallel: 1,
    batchSize: 256,
    flashAttention: 'auto',
    cacheType: 'f16',
    gpuLayers: 0,
    chatTemplateFile: null,
  },
};
const TEXT: StreamPart = { type: 'text-delta', text: 'a' };
const FINISH: StreamPart = { type: 'finish', reason: 'stop' };
const USAGE: StreamPart = {
  type: 'usage',
  promptTokens: 1,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  completionTokens: 1,
  reasoningTokens: 0,
  prefillMs: 1,
  decodeMs: 1,
};
const CANCELLED: StreamPart = {
  type: 'error',
  error: { code: 'cancelled', message: 'the request was cancelled', param: null, retryAfterMs: null },
};

function setUp(child = new ScriptedChild()) {
  const clock = new ManualClock();
  const exits: EngineExit[] = [];
  const progress: number[] = [];
  const engine = new Engine(child, {
    clock,
    silenceLimitMs: SILENCE_LIMIT_MS,
    stallLimitMs: 3 * SILENCE_LIMIT_MS,
    onProgress: (share) => progress.push(share),
    onExit: (exit) => exits.push(exit),
  });
  return { child, clock, engine, exits, progress };
}

async function loaded() {
  const it = setUp();
  it.child.saysReady();
  const loading = it.engine.load(LOAD);
  await it.child.told('load');
  it.child.saysLoaded();
  await loading;
  return it;
}

/** Begins a generation and waits for its first part. */
async function generating(signal = NEVER) {
  const it = await loaded();
  const parts = it.engine.generate(SCRIPTED_REQUEST, signal);
  const first = parts.next();
  it.child.saysParts(1, TEXT);
  expect((await first).value).toEqual(TEXT);
  return { ...it, parts };
}

describe('loading', () => {
  test('waits for the child to have started, and reports progress', async () => {
    const { child, engine, progress } = setUp();
    engine.setThreads(3);
    const loading = engine.load(LOAD);
    expect(child.sent).toEqual([]);
    child.saysReady();
    await child.told('load');
    expect(child.sent).toEqual([{ type: 'load', ...LOAD, threads: 3 }]);
    child.say({ type: 'progress', progress: 0.5 });
    child.saysLoaded();
    expect(await loading).toEqual(SCRIPTED_INFO);
    expect(progress).toEqual([0.5]);
  });

  test('that fails gives the reason, and the engine can load again', async () => {
    const { child, engine } = setUp();
    child.saysReady();
    const failing = engine.load(LOAD);
    await child.told('load');
    const error = { code: 'model_load_failed', message: 'bad magic', param: null, retryAfterMs: null };
    child.say({ type: 'failed', error });
    await expect(failing).rejects.toMatchObject({ code: 'model_load_failed', message: 'bad magic' });
    const again = engine.load(LOAD);
    await Promise.resolve();
    child.saysLoaded();
    await again;
  });

  test.each([
    ['before the child had started', false],
    ['after it had', true],
  ])('fails when the process ends, %s', async (_, started) => {
    const { child, engine, exits } = setUp();
    if (started) child.saysReady();
    const loading = expect(engine.load(LOAD)).rejects.toMatchObject({ code: 'engine_failed' });
    if (started) await child.told('load');
    child.exit({ code: 3, signal: null });
    await loading;
    expect(exits).toEqual([{ asked: false, reason: 'its process ended with code 3', killed: false }]);
  });

  test.each(['load', 'unload'] as const)('nothing waits for a process that has ended: %s', async (what) => {
    const { child, engine } = await loaded();
    child.exit({ code: null, signal: 'SIGABRT' });
    await expect(what === 'load' ? engine.load(LOAD) : engine.unload()).rejects.toMatchObject({
      code: 'engine_failed',
    });
  });

  test('a child that could not be started says so', async () => {
    const { child, engine, exits } = setUp(new ScriptedChild(undefined));
    child.exit({ code: null, signal: null });
    await expect(engine.ready).rejects.toMatchObject({ code: 'engine_failed' });
    expect(exits).toEqual([{ asked: false, reason: 'its process could not be started', killed: false }]);
  });
});

describe('an answer', () => {
  test('is its parts, ending with the usage', async () => {
    const { child, engine } = await loaded();
    const answer = collect(engine.generate(SCRIPTED_REQUEST, NEVER));
    child.saysParts(1, TEXT, TEXT);
    child.saysParts(1, FINISH, USAGE);
    expect(await answer).toEqual([TEXT, TEXT, FINISH, USAGE]);
    expect(child.sentTypes()).not.toContain('abort');
  });

  test('gets its own parts only', async () => {
    const { child, engine } = await loaded();
    const answers = [1, 2].map(() => collect(engine.generate(SCRIPTED_REQUEST, NEVER)));
    child.say({
      type: 'parts',
      parts: [
        [2, { type: 'text-delta', text: 'two' }],
        [1, { type: 'text-delta', text: 'one' }],
        [2, USAGE],
        [1, USAGE],
      ],
    });
    expect(await answers[0]).toEqual([{ type: 'text-delta', text: 'one' }, USAGE]);
    expect(await answers[1]).toEqual([{ type: 'text-delta', text: 'two' }, USAGE]);
  });

  test('that is aborted ends when the child says that the slot is free', async () => {
    const leaving = new AbortController();
    const { child, parts } = await generating(leaving.signal);
    leaving.abort();
    expect(child.sent.at(-1)).toEqual({ type: 'abort', id: 1 });
    const rest = collect(parts);
    child.saysParts(1, TEXT, CANCELLED);
    expect(await rest).toEqual([TEXT, CANCELLED]);
  });

  test('asked for with an aborted signal is aborted at once', async () => {
    const { child, engine } = await loaded();
    const answer = collect(engine.generate(SCRIPTED_REQUEST, AbortSignal.abort()));
    expect(child.sentTypes().slice(-2)).toEqual(['generate', 'abort']);
    child.saysParts(1, CANCELLED);
    expect(await answer).toEqual([CANCELLED]);
  });

  test('whose reader leaves is aborted, and left when the slot is free', async () => {
    const { child, parts } = await generating();
    let left = false;
    const leaving = parts.return(undefined).then(() => {
      left = true;
    });
    await child.told('abort');
    child.saysParts(1, TEXT);
    await Promise.resolve();
    expect(left).toBe(false);
    child.saysParts(1, CANCELLED);
    await leaving;
  });

  test('that has ended is not aborted by a reader that leaves, nor by a late signal', async () => {
    const leaving = new AbortController();
    const { child, parts } = await generating(leaving.signal);
    child.saysParts(1, FINISH, USAGE);
    for await (const part of parts) if (part.type === 'usage') break;
    leaving.abort();
    expect(child.sentTypes()).not.toContain('abort');
  });

  test('parts that come after its end change nothing', async () => {
    const { child, engine, clock, parts } = await generating();
    child.saysParts(1, FINISH, USAGE, CANCELLED);
    expect(await collect(parts)).toEqual([FINISH, USAGE]);
    child.saysParts(1, TEXT, CANCELLED);
    const next = collect(engine.generate(SCRIPTED_REQUEST, NEVER));
    child.saysParts(2, USAGE);
    expect(await next).toEqual([USAGE]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('ends with an error when the process does', async () => {
    const { child, parts, exits } = await generating();
    child.exit({ code: null, signal: 'SIGKILL' });
    const [error, ...more] = await collect(parts);
    expect(more).toEqual([]);
    expect(error).toMatchObject({ type: 'error', error: { code: 'engine_failed', retryAfterMs: 1000 } });
    expect(JSON.stringify(error)).toContain('its process was ended by SIGKILL');
    expect(exits).toEqual([{ asked: false, reason: 'its process was ended by SIGKILL', killed: true }]);
  });

  test('of an engine that has ended is an error', async () => {
    const { child, engine } = await loaded();
    child.exit({ code: 1, signal: null });
    expect(await collect(engine.generate(SCRIPTED_REQUEST, NEVER))).toMatchObject([
      { type: 'error', error: { code: 'engine_failed' } },
    ]);
  });
});

describe('the watchdog', () => {
  test('ends a child that does not start', async () => {
    const { child, clock, engine, exits } = setUp();
    const ready = expect(engine.ready).rejects.toMatchObject({ code: 'engine_failed' });
    clock.advance(SILENCE_LIMIT_MS - 1);
    expect(child.killed).toBe(false);
    clock.advance(1);
    await ready;
    expect(exits).toEqual([
      { asked: false, reason: 'it was silent for 20 s while it had work, so it was ended', killed: false },
    ]);
  });

  test('ends a child that is silent while it generates, and lives as long as it talks', async () => {
    const { child, clock, parts } = await generating();
    for (let count = 0; count < 5; count++) {
      clock.advance(SILENCE_LIMIT_MS - 1);
      child.say({ type: 'alive' });
    }
    expect(child.killed).toBe(false);
    clock.advance(SILENCE_LIMIT_MS);
    expect(child.killed).toBe(true);
    expect(JSON.stringify(await collect(parts))).toContain('it was silent for 20 s');
  });

  test('a hung child is ended though callers keep coming and giving up', async () => {
    const { child, clock, engine } = await generating();
    for (let count = 0; count < 4; count++) {
      clock.advance(SILENCE_LIMIT_MS / 4);
      void collect(engine.generate(SCRIPTED_REQUEST, AbortSignal.abort()));
    }
    expect(child.killed).toBe(true);
  });

  test('a child that has answered is not ended because the reader is slow', async () => {
    const { child, clock, parts } = await generating();
    child.saysParts(1, FINISH, USAGE);
    clock.advance(10 * SILENCE_LIMIT_MS);
    expect(child.killed).toBe(false);
    expect(await collect(parts)).toEqual([FINISH, USAGE]);
  });

  test('an idle child may be silent for ever', async () => {
    const { child, clock } = await loaded();
    clock.advance(100 * SILENCE_LIMIT_MS);
    expect(child.killed).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  test('ends a load that comes no further, however alive the child says it is', async () => {
    const { child, clock, engine } = setUp();
    child.saysReady();
    const load = engine.load(LOAD);
    const failed = expect(load).rejects.toThrow(/loading came no further for 60 s.*may be damaged/);
    await child.told('load');
    for (let count = 0; count < 5; count++) {
      clock.advance(SILENCE_LIMIT_MS - 1);
      child.say({ type: 'alive' });
      if (count === 0) child.say({ type: 'progress', progress: 0.1 });
    }
    expect(child.killed).toBe(true);
    await failed;
  });

  test('stops with the process', async () => {
    const { child, clock } = await generating();
    child.exit({ code: 0, signal: null });
    expect(clock.pendingTimers).toBe(0);
  });
});

test('unloading ends when the child is empty, and is asked of it each time', async () => {
  const { child, engine } = await loaded();
  const both = [engine.unload(), engine.unload()];
  await child.told('unload');
  child.say({ type: 'unloaded' });
  await Promise.all(both);
  const rejected = expect(engine.unload()).rejects.toMatchObject({ code: 'engine_failed' });
  await Promise.resolve();
  child.exit({ code: 1, signal: null });
  await rejected;
});

test('threads are told once to a child that has started, else with the load', async () => {
  const { child, engine } = await loaded();
  engine.setThreads(4);
  engine.setThreads(4);
  expect(child.sent.slice(-1)).toEqual([{ type: 'threads', threads: 4 }]);
  expect(child.sentTypes()).toEqual(['load', 'threads']);
});

test('what its slots hold is known until it is emptied, and a hung saving is ended by the watchdog', async () => {
  const { child, engine, clock } = await loaded();
  child.say({ type: 'held', tokens: 1000, prefillMs: 1200, deepestTokens: 900 });
  expect(engine.prefixes.held).toEqual({ tokens: 1000, prefillMs: 1200, deepestTokens: 900 });
  const emptied = engine.unload();
  await child.told('unload');
  child.say({ type: 'unloaded' });
  await emptied;
  expect(engine.prefixes.held).toEqual({ tokens: 0, prefillMs: 0, deepestTokens: 0 });
  const listed = expect(engine.prefixes.list()).rejects.toMatchObject({ code: 'engine_failed' });
  clock.advance(SILENCE_LIMIT_MS);
  expect(child.killed).toBe(true);
  await listed;
});

test.each([null, 'hello', { type: 'sing' }, { type: 'parts', parts: [['one', {}]] }])(
  'a child that says what makes no sense is ended: %j',
  async (message) => {
    const { child, exits } = await loaded();
    child.babble(message);
    expect(exits).toEqual([{ asked: false, reason: 'it sent a message that makes no sense', killed: false }]);
  },
);

test('an end that was asked for has no reason', async () => {
  const { engine, exits } = await loaded();
  engine.kill();
  expect(exits).toEqual([{ asked: true }]);
});
