import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/main/clock.ts';
import { NOTHING_SAID } from '../../src/main/config/model-settings.ts';
import type { LocalModelSettings, Settings } from '../../src/main/config/settings.ts';
import type { SpawnEngine } from '../../src/main/engine/spawn.ts';
import { spawnByFork } from '../../src/main/engine/spawn-fork.ts';
import { LocalRuntime } from '../../src/main/local-runtime.ts';
import { createMemoryProbe, type Machine, type MemoryProbe } from '../../src/main/memory/probe.ts';
import { createLocalBackend } from '../../src/main/providers/local.ts';
import type { PressureLevel } from '../../src/shared/contract.ts';
import {
  type GenerationRequest,
  NO_SAMPLING,
  PLAIN,
  type Prompt,
  type Sampling,
} from '../../src/shared/generation.ts';
import { settingsOf } from '../fakes/configs.ts';
import {
  type Answer,
  answerOf,
  DEMO_MODEL,
  ENGINE_CHILD,
  ESTIMATE_CHILD,
  isAlive,
  NEVER,
  SETTINGS,
  secondModel,
  temporaryFolder,
  untilGone,
} from './harness.ts';

const MAX_LOADED = 1;
const STANDBYS = 1;
const probe = createMemoryProbe();
let machine: Machine;

beforeAll(async () => {
  machine = await probe.machine();
});

function model(id: string, path: string, parallel: number): LocalModelSettings {
  return {
    kind: 'local',
    id,
    name: id,
    aliases: [],
    source: { kind: 'file', path },
    pinned: false,
    preload: false,
    idleUnloadMs: null,
    engine: { ...SETTINGS, contextSize: 256, parallel },
    ...NOTHING_SAID,
  };
}

function settings(models: readonly LocalModelSettings[]): Settings {
  const usual = settingsOf('');
  return {
    ...usual,
    server: { ...usual.server, port: 0, maxQueue: 100, maxWaitMs: 60_000 },
    memory: {
      budget: { kind: 'bytes', bytes: 4 * 1024 ** 3 },
      eviction: 'cost-aware',
      maxLoadedModels: MAX_LOADED,
      minResidencyMs: 0,
      standbyEngines: STANDBYS,
      keepPrefixCacheBytes: 0,
      keepPrefixCacheOnQuit: false,
    },
    models,
    defaults: SETTINGS,
    routing: { default: 'demo' },
  };
}

/** A spawn that remembers every process, and the most there were at once. */
function counting(spawn: SpawnEngine) {
  const pids: number[] = [];
  let running = 0;
  const counts = { most: 0 };
  return {
    pids,
    counts,
    spawn: () => {
      const child = spawn();
      if (child.pid !== undefined) pids.push(child.pid);
      running++;
      counts.most = Math.max(counts.most, running);
      child.onExit(() => running--);
      return child;
    },
  };
}

/** All that serves local models, with two of them, on real engines. */
function setUp(machineSays: Partial<MemoryProbe> = {}) {
  const engines = counting(spawnByFork(ENGINE_CHILD, () => {}));
  const estimators = counting(spawnByFork(ESTIMATE_CHILD, () => {}));
  const granted = new Map<string, number[]>();
  const decisions: string[] = [];
  let mostLoaded = 0;
  let arrived = 0;
  const runtime: LocalRuntime = new LocalRuntime(settings([]), {
    clock: systemClock,
    probe: { ...probe, ...machineSays },
    machine,
    metal: false,
    spawnEngine: engines.spawn,
    spawnEstimator: estimators.spawn,
    corrections: { all: new Map(), save: () => {} },
    prefixDir: join(temporaryFolder(), 'prefix-cache'),
    onDecision: (_, text) => decisions.push(text),
    isWatched: () => false,
    onChange: () => {
      const loaded = [...runtime.scheduler.models.values()].filter(({ state }) =>
        ['loading', 'ready', 'draining'].includes(state.status),
      );
      mostLoaded = Math.max(mostLoaded, loaded.length);
    },
  });
  const backend = createLocalBackend({
    clock: systemClock,
    settingsOf: (id) => runtime.settingsOf(id),
    acquire: async (id, signal) => {
      const number = ++arrived;
      const lease = await runtime.dispatcher.acquire(id, signal);
      granted.set(id, [...(granted.get(id) ?? []), number]);
      return lease;
    },
    loadSince: (id: string, atMs: number) => runtime.loadSince(id, atMs),
    engineOf: (id) => runtime.engineOf(id),
    randomSeed: () => randomInt(2 ** 32),
    finished: (id, { usage }) => runtime.served(id, usage.promptTokens + usage.completionTokens),
  });
  runtime.configure(
    settings([model('demo', DEMO_MODEL, 2), model('second', secondModel(temporaryFolder()), 2)]),
  );
  onTestFinished(() => runtime.close());
  return {
    runtime,
    engines,
    estimators,
    granted,
    decisions,
    mostLoaded: () => mostLoaded,
    ask: (id: string, prompt: Prompt, sampling: Partial<Sampling> = {}, signal = NEVER): Promise<Answer> => {
      const request: GenerationRequest = {
        prompt,
        maxTokens: 24,
        stop: [],
        sampling: { ...NO_SAMPLING, temperature: 0, ...sampling },
        ...PLAIN,
      };
      return answerOf(backend.generate(id, request, signal).parts);
    },
  };
}

const chat = (content: string): Prompt => ({ kind: 'chat', messages: [{ role: 'user', content }] });

/** What the demo model knows by heart, and what any model goes on with in its own way. */
const SUMS = Array.from({ length: 5 }, (_, index) => ({
  prompt: chat(`What is ${index + 2} + ${2 * index + 1}?`),
  text: `${index + 2} + ${2 * index + 1} = ${3 * index + 3}.`,
}));
const BEGINNINGS = ['Once upon a time', 'The dog', 'Lily and Tom', 'One day', 'She was'].map(
  (text): Prompt => ({ kind: 'text', text }),
);

async function expectNoProcesses(pids: readonly number[]): Promise<void> {
  for (const pid of pids) await untilGone(pid);
}

describe('fifty requests at once over two models of which one may be loaded', () => {
  test('are all answered, rightly and in turn, by no more engines than may be', async () => {
    const it = setUp();
    const expected: string[] = [];
    for (const prompt of BEGINNINGS) expected.push((await it.ask('second', prompt)).text);
    it.granted.clear();

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, number) => {
        const index = Math.floor(number / 2) % 5;
        const sum = SUMS[index];
        const beginning = BEGINNINGS[index];
        if (!sum || !beginning) throw new RangeError(`there is no question ${index}`);
        return number % 2 === 0
          ? it.ask('demo', sum.prompt).then((answer) => ({ answer, expected: sum.text }))
          : it.ask('second', beginning).then((answer) => ({ answer, expected: expected[index] }));
      }),
    );

    for (const { answer, expected: text } of answers) {
      expect(answer.error).toBeNull();
      expect(answer.text).toBe(text);
    }
    for (const id of ['demo', 'second']) {
      const order = it.granted.get(id) ?? [];
      expect(order).toHaveLength(25);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
    expect(it.mostLoaded()).toBe(MAX_LOADED);
    expect(it.engines.counts.most).toBeLessThanOrEqual(MAX_LOADED + STANDBYS);

    await it.runtime.close();
    for (const pid of it.engines.pids) expect(isAlive(pid)).toBe(false);
    await expectNoProcesses(it.estimators.pids);
  });
});

test('closing with requests running and waiting turns them away and leaves no process', async () => {
  const it = setUp();
  const first = it.ask('demo', chat('Tell me a story'), { logitBias: null });
  await first;
  const asked = Array.from({ length: 20 }, (_, number) =>
    it.ask(number % 2 === 0 ? 'demo' : 'second', chat('Tell me a story')),
  );
  await it.runtime.close();
  const codes = new Set((await Promise.all(asked)).map(({ error }) => error?.code));
  expect([...codes].toSorted()).toEqual(['engine_failed', 'shutting_down']);
  expect((await it.ask('demo', chat('Hi'))).error?.code).toBe('shutting_down');
  for (const pid of it.engines.pids) expect(isAlive(pid)).toBe(false);
  await expectNoProcesses(it.estimators.pids);
});

test('an engine that is killed costs the answers it was giving, and the next request works', async () => {
  const it = setUp();
  await it.ask('demo', chat('Hi'));
  const victim = it.runtime.engineOf('demo')?.pid ?? 0;
  const running = it.ask('demo', chat('Tell me a story'));
  const waiting = [it.ask('demo', chat('Tell me a story')), it.ask('demo', chat('What is 3 + 4?'))];
  process.kill(victim, 'SIGKILL');
  expect((await running).error?.code).toBe('engine_failed');
  // The one that shared the engine may have been lost as well; the one that waited was not.
  const [, last] = await Promise.all(waiting);
  expect(last?.text).toBe('3 + 4 = 7.');
  expect((await it.ask('demo', chat('What is 3 + 4?'))).text).toBe('3 + 4 = 7.');
  expect(it.runtime.engineOf('demo')?.pid).not.toBe(victim);
});

test('callers that leave in the queue, while loading and while generating leave the engines free', async () => {
  const it = setUp();
  const leaving = new AbortController();
  const left = Array.from({ length: 12 }, (_, number) =>
    it.ask(number % 2 === 0 ? 'demo' : 'second', chat('Tell me a story'), {}, leaving.signal),
  );
  const stays = it.ask('demo', chat('What is 3 + 4?'));
  leaving.abort();
  for (const { error } of await Promise.all(left)) expect(error?.code).toBe('cancelled');
  expect((await stays).text).toBe('3 + 4 = 7.');
  for (const entry of it.runtime.scheduler.models.values()) {
    expect({ leases: entry.activeLeases, waiters: entry.waiters }).toEqual({ leases: 0, waiters: 0 });
  }
});

test('other programs that hold the memory are waited for, and under pressure idle engines go', async () => {
  let availableBytes = 100 * 1024 ** 2;
  let level: PressureLevel = 'normal';
  const it = setUp({ availableBytes: async () => availableBytes, pressure: async () => level });
  await it.runtime.watchMachine();
  const asked = it.ask('demo', chat('What is 3 + 4?'));
  await expect
    .poll(() => it.decisions.at(-1), { timeout: 10_000 })
    .toMatch(/^Waiting to load demo until other programs give/);
  availableBytes = 8 * 1024 ** 3;
  expect((await asked).text).toBe('3 + 4 = 7.');

  const engine = it.runtime.engineOf('demo')?.pid ?? 0;
  level = 'critical';
  await untilGone(engine);
  expect(it.decisions).toContainEqual(
    expect.stringMatching(/^Unloaded demo \(.*\): memory pressure is critical \(8\.0 GiB available\)/),
  );
  expect((await it.ask('demo', chat('What is 3 + 4?'))).text).toBe('3 + 4 = 7.');
});

test('no two answers are alike when nobody gives a seed', async () => {
  const it = setUp();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => it.ask('demo', chat('Tell me a story'), { temperature: 1.5 })),
  );
  expect(new Set(answers.map(({ text }) => text)).size).toBe(8);
});
