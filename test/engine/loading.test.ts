import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/main/clock.ts';
import { EngineHost, type HostEvents } from '../../src/main/engine/host.ts';
import { spawnByFork } from '../../src/main/engine/spawn-fork.ts';
import { createMemoryProbe } from '../../src/main/memory/probe.ts';
import { headerFor } from '../fixtures/engine-header.ts';
import {
  answerOf,
  ask,
  DEMO_MODEL,
  ENGINE_CHILD,
  endEngine,
  isAlive,
  load,
  NEVER,
  requestFor,
  SETTINGS,
  secondModel,
  startEngine,
  startModel,
  type TestEngine,
  temporaryFolder,
  untilGone,
} from './harness.ts';

let running: TestEngine | undefined;
afterEach(async () => {
  await endEngine(running);
  running = undefined;
});

async function started(engine: Promise<TestEngine>): Promise<TestEngine> {
  running = await engine;
  return running;
}

/** A generation that has said something and goes on for long. */
async function midStream({ engine }: TestEngine) {
  const parts = engine.generate(requestFor('Tell me a story', { temperature: 2, maxTokens: null }), NEVER);
  expect((await parts.next()).value).toMatchObject({ type: 'text-delta' });
  return parts;
}

describe('a file that is no model', () => {
  let it: TestEngine;
  beforeAll(async () => {
    it = await startEngine();
  });
  afterAll(() => endEngine(it));

  test.each([
    ['garbage', Buffer.from('not a model at all, not at all')],
    ['garbage behind the right beginning', Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(64, 0xff)])],
    ['a model that is cut off', readFileSync(DEMO_MODEL).subarray(0, 1_000_000)],
    ['nothing', Buffer.alloc(0)],
  ])('fails to load with a reason: %s', async (_, content) => {
    const file = join(temporaryFolder(), 'broken.gguf');
    writeFileSync(file, content);
    await expect(load(it.engine, {}, file)).rejects.toMatchObject({
      code: 'model_load_failed',
      message: expect.stringMatching(/^llama\.cpp cannot load this file: .{5}/),
    });
  });

  test('that is not there fails as well', async () => {
    await expect(load(it.engine, {}, '/nowhere/model.gguf')).rejects.toMatchObject({
      code: 'model_load_failed',
    });
  });

  test('leaves the engine fit to load one that is', async () => {
    await load(it.engine);
    expect((await ask(it.engine, 'What is 3 + 4?')).text).toBe('3 + 4 = 7.');
  });
});

describe('a chat template from a file', () => {
  let it: TestEngine;
  beforeAll(async () => {
    it = await startEngine();
  });
  afterEach(() => it.engine.unload());
  afterAll(() => endEngine(it));

  const loadWith = (source: string) => {
    const chatTemplateFile = join(temporaryFolder(), 'template.jinja');
    writeFileSync(chatTemplateFile, source);
    return load(it.engine, { chatTemplateFile });
  };

  test('is used instead of the model\u2019s own', async () => {
    // The empty piece keeps the line end before it, which belongs to the file otherwise.
    await loadWith(
      `<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n{{ '' }}`,
    );
    expect((await ask(it.engine, 'Hi')).text).toBe('The capital of France is Paris.');
  });

  test('that loops for ever fails the load, and the engine lives', async () => {
    await expect(
      loadWith('{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}'),
    ).rejects.toMatchObject({
      code: 'model_load_failed',
      message: expect.stringContaining('ran longer than 2000 ms'),
    });
    await loadWith(`{{ messages[0].content }}`);
    expect((await ask(it.engine, 'Hi')).error).toBeNull();
  });

  test('that refuses the messages says why', async () => {
    await loadWith(`{{ raise_exception('only on Sundays') }}`);
    expect((await ask(it.engine, 'Hi')).error).toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('only on Sundays'),
    });
  });

  test('that cannot be read fails the load', async () => {
    await expect(load(it.engine, { chatTemplateFile: '/nowhere/template.jinja' })).rejects.toMatchObject({
      code: 'model_load_failed',
      message: expect.stringMatching(/^the chat template \/nowhere\/template\.jinja is not there; /),
    });
    await expect(loadWith('{% if %}')).rejects.toMatchObject({
      code: 'model_load_failed',
      message: expect.stringContaining('chat template cannot be read'),
    });
  });
});

describe('a model for which there is no memory', () => {
  const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

  /** The process may have so much address space more than now. */
  function limit(pid: number, moreMib: number): void {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const bytes = Number(/^VmSize:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024 + moreMib * 1024 ** 2;
    execFileSync('prlimit', ['--pid', String(pid), `--as=${bytes}`]);
  }

  // prlimit is Linux's; the words of other systems are in load-log.test.ts.
  test.runIf(hasPrlimit)('fails to load with llama.cpp\u2019s own numbers', async () => {
    const it = await started(startEngine());
    limit(it.pid, 100);
    // The cache of 64 slots takes 192 MiB.
    await expect(load(it.engine, { contextSize: 2048, parallel: 64 })).rejects.toMatchObject({
      code: 'insufficient_memory',
      message: expect.stringMatching(/^the system had no memory for it \(.*192\.00 MB/),
    });
  });
});

test('an engine is emptied and loads another model, again and again', async () => {
  const it = await started(startModel());
  const second = secondModel(temporaryFolder());
  for (let round = 0; round < 3; round++) {
    expect((await ask(it.engine, 'What is 3 + 4?')).text).toBe('3 + 4 = 7.');
    await it.engine.unload();
    expect((await ask(it.engine, 'Hi')).error?.message).toContain('no model loaded');
    await load(it.engine, { contextSize: 256 }, second);
    expect((await ask(it.engine, { kind: 'text', text: 'Once' }, { maxTokens: 3 })).usage).toMatchObject({
      completionTokens: 3,
    });
    await it.engine.unload();
    await load(it.engine);
  }
});

test('emptying an engine while it loads ends the load first, and leaves nothing of it', async () => {
  const it = await started(startEngine());
  for (let round = 0; round < 3; round++) {
    const order: string[] = [];
    const loading = load(it.engine).then(
      () => order.push('loaded'),
      () => order.push('failed'),
    );
    await it.engine.unload();
    order.push('unloaded');
    await loading;
    expect(order.at(-1)).toBe('unloaded');
    expect((await ask(it.engine, 'Hi')).error?.message).toContain('no model loaded');
  }
});

test('emptying an engine ends what it generates', async () => {
  const it = await started(startModel());
  const parts = await midStream(it);
  const [answer] = await Promise.all([answerOf(parts), it.engine.unload()]);
  expect(answer.error?.code).toBe('cancelled');
});

describe('the host', () => {
  function createHost() {
    const exited = vi.fn<HostEvents['exited']>();
    const loaded = vi.fn<HostEvents['loaded']>();
    const loadFailed = vi.fn<HostEvents['loadFailed']>();
    const standbyMeasured = vi.fn<HostEvents['standbyMeasured']>();
    const probe = createMemoryProbe();
    const host = new EngineHost({
      spawn: spawnByFork(ENGINE_CHILD, () => {}),
      clock: systemClock,
      silenceLimitMs: 60_000,
      stallLimitMs: 60_000,
      cores: 2,
      footprintBytes: async (pid) => (await probe.footprint(pid))?.totalBytes ?? null,
      on: {
        progress: () => {},
        exited,
        loaded,
        loadFailed,
        standbyMeasured,
        standbyExited: () => {},
        metalFound: () => {},
      },
    });
    onTestFinished(() => host.close());
    return { host, exited, loaded, loadFailed, standbyMeasured };
  }
  const model = (path: string) => ({ path, header: headerFor(path), settings: SETTINGS });
  const called = (mock: { readonly mock: { readonly calls: unknown[] } }, times = 1) =>
    expect.poll(() => mock.mock.calls.length, { timeout: 10_000, interval: 5 }).toBe(times);

  test('does not keep the process of a load that failed', async () => {
    const { host, loadFailed } = createHost();
    const file = join(temporaryFolder(), 'broken.gguf');
    writeFileSync(file, 'garbage');
    host.load('a', model(file));
    const [pid = 0] = host.pids();
    await called(loadFailed);
    expect(loadFailed.mock.calls[0]?.[1].message).toContain('llama.cpp cannot load this file');
    expect(host.pids()).toEqual([]);
    await untilGone(pid);
  });

  test('keeps a process that comes out empty for the next model, and ends all when it is closed', async () => {
    const { host, exited, loaded, standbyMeasured } = createHost();
    host.startStandby();
    await called(standbyMeasured);
    const pids = host.pids();
    const second = secondModel(temporaryFolder());
    for (const [round, path] of [DEMO_MODEL, second, DEMO_MODEL].entries()) {
      host.load(`model ${round}`, model(path));
      await called(loaded, round + 1);
      const engine = host.engineOf(`model ${round}`);
      if (!engine) throw new Error('a loaded model has an engine');
      await ask(engine, { kind: 'text', text: 'Once' }, { maxTokens: 3 });
      host.stop(`model ${round}`, true);
      await called(exited, round + 1);
      expect(exited.mock.lastCall).toEqual([`model ${round}`, { kept: true, reason: null }]);
    }
    expect(host.pids()).toEqual(pids);
    await host.close();
    expect(host.pids()).toEqual([]);
    for (const pid of pids) expect(isAlive(pid)).toBe(false);
  });

  test('a load stopped under way leaves an empty process', async () => {
    const { host, exited, loaded, loadFailed, standbyMeasured } = createHost();
    host.startStandby();
    await called(standbyMeasured);
    for (let round = 1; round <= 3; round++) {
      host.load('a', model(DEMO_MODEL));
      host.stop('a', true);
      await called(exited, round);
      expect(exited.mock.lastCall?.[1].kept).toBe(true);
    }
    expect([loaded.mock.calls, loadFailed.mock.calls]).toEqual([[], []]);
  });
});
