import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeModel } from '../../bench/make-model.ts';
import { systemClock } from '../../src/main/clock.ts';
import type { EngineSettings } from '../../src/main/config/settings.ts';
import { EngineHost } from '../../src/main/engine/host.ts';
import { prefixKey } from '../../src/main/engine/prefix-key.ts';
import {
  type ModelPrefixes,
  PrefixStore,
  type PrefixStoreSettings,
} from '../../src/main/engine/prefix-store.ts';
import { spawnByFork } from '../../src/main/engine/spawn-fork.ts';
import type { Snapshot } from '../../src/shared/contract.ts';
import type { EnginePrompt } from '../../src/shared/generation.ts';
import { headerFor } from '../fixtures/engine-header.ts';
import { serveApp } from '../harness/served-app.ts';
import {
  type Answer,
  ask,
  DEMO_MODEL,
  ENGINE_CHILD,
  endEngine,
  SETTINGS,
  startEngine,
  temporaryFolder,
  untilGone,
} from './harness.ts';

const GIB = 1024 ** 3;
/** Long enough that reading it costs far more than a file of its state, however busy the machine is. */
const PROMPT_TOKENS = 900;
const LONG: Partial<EngineSettings> = { contextSize: 2048 };

/** Token ids that every model here has and that are not special; unlike for each `kind`. */
function promptOf(kind: number, length = PROMPT_TOKENS): EnginePrompt {
  return {
    kind: 'tokens',
    tokens: Array.from({ length }, (_, index) => 10 + ((index * (kind * 2 + 3) + kind * 17) % 200)),
  };
}

/** A host with its store, as the app has them, over one folder: closing it and making another is a restart of the app. */
function keeper(dir: string, settings: Partial<PrefixStoreSettings> = {}) {
  const warnings: string[] = [];
  const store = new PrefixStore({
    dir,
    clock: systemClock,
    settings: { limitBytes: GIB, keepOnQuit: false, ...settings },
    warn: (message) => warnings.push(message),
  });
  let happened = Promise.withResolvers<string>();
  const host = new EngineHost({
    spawn: spawnByFork(ENGINE_CHILD, () => {}),
    clock: systemClock,
    silenceLimitMs: 60_000,
    stallLimitMs: 60_000,
    cores: 1,
    footprintBytes: async () => null,
    prefixes: store,
    on: {
      loaded: () => happened.resolve('loaded'),
      loadFailed: (_, error) => happened.reject(error),
      exited: (_, { reason }) => happened.resolve(reason ?? 'stopped'),
      progress() {},
      standbyExited() {},
      metalFound() {},
      standbyMeasured() {},
    },
  });
  onTestFinished(() => host.close());
  const engine = (id: string) => {
    const found = host.engineOf(id);
    if (!found) throw new Error(`${id} is not loaded`);
    return found;
  };
  return {
    host,
    store,
    warnings,
    engine,
    /** In a new process: none is kept. */
    async load(id = 'a', path = DEMO_MODEL, engineSettings: Partial<EngineSettings> = LONG) {
      happened = Promise.withResolvers();
      host.load(id, { path, header: headerFor(path), settings: { ...SETTINGS, ...engineSettings } });
      expect(await happened.promise).toBe('loaded');
    },
    async stop(id = 'a') {
      happened = Promise.withResolvers();
      host.stop(id, false);
      expect(await happened.promise).toBe('stopped');
      // A plan of nothing waits until the folder is as it is to be.
      await store.plan(NO_MODEL, [], 0);
    },
    ask: (prompt: EnginePrompt, id = 'a'): Promise<Answer> => ask(engine(id), prompt, { maxTokens: 12 }),
    async quit(save = false) {
      await host.close(save);
      await store.close();
    },
  };
}

const NO_MODEL: ModelPrefixes = {
  modelId: 'none',
  key: '0'.repeat(32),
  offer: { dir: '', states: [], restoreMsPerByte: 0, prefillMsPerToken: null },
};

type Keeper = ReturnType<typeof keeper>;

/** Reads a prompt and stops the model, as an eviction does; gives what was answered. */
async function readAndStop(
  it: Keeper,
  prompt: EnginePrompt,
  ...load: Parameters<Keeper['load']>
): Promise<Answer> {
  await it.load(...load);
  const answer = await it.ask(prompt, load[0]);
  expect(answer.usage?.cachedTokens).toBe(0);
  await it.stop(load[0]);
  return answer;
}

/** Paths of all states in a folder. */
function states(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.state'))
    .map((name) => join(dir, name));
}

function onlyState(dir: string): string {
  const [path, ...others] = states(dir);
  expect(others).toEqual([]);
  if (path === undefined) throw new Error('nothing was saved');
  return path;
}

describe('what was read before an unload', () => {
  test('is not read again after the next load, and the answer is the same', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const it = keeper(dir);
    const first = await readAndStop(it, promptOf(1));
    const path = onlyState(dir);
    expect(it.store.prefixBytes('a')).toBe(statSync(path).size);
    expect(it.store.prefixBytes('b')).toBe(0);
    await it.load();
    const again = await it.ask(promptOf(1));
    expect(again.usage).toMatchObject({ promptTokens: PROMPT_TOKENS, cachedTokens: PROMPT_TOKENS - 1 });
    expect(again.text).toBe(first.text);
    expect(it.warnings).toEqual([]);
  });

  test('lies in files for their owner alone', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const it = keeper(dir);
    await readAndStop(it, promptOf(1));
    const path = onlyState(dir);
    const mode = (name: string) => (statSync(name).mode & 0o777).toString(8);
    expect([mode(dir), mode(join(path, '..')), mode(path), mode(join(dir, 'index.json'))]).toEqual([
      '700',
      '700',
      '600',
      '600',
    ]);
  });

  test('is used as far as the next prompt agrees with it', async () => {
    const it = keeper(join(temporaryFolder(), 'prefix-cache'));
    await readAndStop(it, promptOf(1));
    const other = promptOf(1);
    if (other.kind !== 'tokens') throw new Error('a prompt of tokens');
    const turned = { kind: 'tokens' as const, tokens: other.tokens.with(600, 9) };
    await it.load('b', DEMO_MODEL, LONG);
    const { usage, text } = await it.ask(turned, 'b');
    expect(usage?.cachedTokens).toBe(600);
    const plain = keeper(join(temporaryFolder(), 'prefix-cache'), { limitBytes: 0 });
    await plain.load();
    const unaided = await plain.ask(turned);
    expect(unaided.usage?.cachedTokens).toBe(0);
    expect(text).toBe(unaided.text);
  });

  test('is saved once: what goes on from it takes its place, what is on disk already is not written again', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const it = keeper(dir);
    await readAndStop(it, promptOf(1, 600));
    const first = onlyState(dir);
    await it.load();
    await it.stop();
    expect(onlyState(dir)).toBe(first);
    await it.load();
    // Rereading the same tokens leaves no more in the slot than the file has.
    expect((await it.ask(promptOf(1, 600))).usage?.cachedTokens).toBe(599);
    await it.stop();
    expect(onlyState(dir)).toBe(first);
    await it.load();
    expect((await it.ask(promptOf(1))).usage?.cachedTokens).toBe(600);
    await it.stop();
    expect(onlyState(dir)).not.toBe(first);
    await it.load();
    expect((await it.ask(promptOf(1))).usage?.cachedTokens).toBe(PROMPT_TOKENS - 1);
  });

  test('of every slot is kept', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const it = keeper(dir);
    const settings = { ...LONG, parallel: 2 };
    await it.load('a', DEMO_MODEL, settings);
    const prompts = [promptOf(1), promptOf(2)];
    const first = await Promise.all(prompts.map((prompt) => it.ask(prompt)));
    const held = it.host.heldBy('a');
    // The last token of an answer is never evaluated.
    expect(held.tokens).toBeGreaterThan(2 * PROMPT_TOKENS);
    expect(held.prefillMs).toBeGreaterThan(0);
    await it.stop();
    expect(it.host.heldBy('a')).toEqual({ tokens: 0, prefillMs: 0, deepestTokens: 0 });
    expect(states(dir)).toHaveLength(2);
    await it.load('a', DEMO_MODEL, settings);
    const again = await Promise.all(prompts.map((prompt) => it.ask(prompt)));
    expect(again.map(({ usage }) => usage?.cachedTokens)).toEqual([PROMPT_TOKENS - 1, PROMPT_TOKENS - 1]);
    expect(again.map(({ text }) => text)).toEqual(first.map(({ text }) => text));
  });

  test('is restored while another slot generates', async () => {
    const it = keeper(join(temporaryFolder(), 'prefix-cache'));
    const settings = { ...LONG, parallel: 2 };
    const first = await readAndStop(it, promptOf(1), 'a', DEMO_MODEL, settings);
    await it.load('a', DEMO_MODEL, settings);
    const beside = ask(it.engine('a'), promptOf(2, 600), { maxTokens: 400, logitBias: [[2, -100]] });
    const again = await it.ask(promptOf(1));
    expect(again.usage?.cachedTokens).toBe(PROMPT_TOKENS - 1);
    expect(again.text).toBe(first.text);
    expect((await beside).error).toBeNull();
  });

  test('is lost with a process that was killed, and leaves nothing on disk', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const it = keeper(dir);
    await it.load();
    await it.ask(promptOf(1));
    const [pid = 0] = it.host.pids();
    process.kill(pid, 'SIGKILL');
    await untilGone(pid);
    expect(states(dir)).toEqual([]);
  });

  test('is not kept when it is short', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const it = keeper(dir);
    await readAndStop(it, promptOf(1, 200));
    expect(states(dir)).toEqual([]);
  });
});

describe('a file that is not what was saved is not handed to llama.cpp', () => {
  const DAMAGES: readonly [string, (path: string, folder: string) => Promise<void> | void][] = [
    ['a byte of the cache differs', (path) => flip(path, statSync(path).size - 5000)],
    ['a byte of its head differs', (path) => flip(path, 0)],
    ['a token differs', (path) => flip(path, 12 + 4 * 500)],
    ['it is cut off', (path) => truncateSync(path, 1000)],
    ['it is longer', (path) => appendFileSync(path, 'more')],
    ['it is empty', (path) => truncateSync(path, 0)],
    ['it is gone', (path) => rmSync(path)],
    [
      'it is a folder',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    ['it is the file of another model', (path, folder) => foreignState(path, folder)],
  ];

  function flip(path: string, at: number): void {
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(path, bytes);
  }

  async function foreignState(path: string, folder: string): Promise<void> {
    const other = join(folder, 'other.gguf');
    makeModel({ shape: '15m', type: 'f16', vocab: '512' }, other);
    const dir = join(folder, 'other-cache');
    await readAndStop(keeper(dir), promptOf(1), 'other', other);
    copyFileSync(onlyState(dir), path);
  }

  test.each(DAMAGES)('%s', async (_, damage) => {
    const folder = temporaryFolder();
    const dir = join(folder, 'prefix-cache');
    const it = keeper(dir);
    const first = await readAndStop(it, promptOf(1));
    const path = onlyState(dir);
    await damage(path, folder);
    await it.load();
    const again = await it.ask(promptOf(1));
    expect(again.usage?.cachedTokens).toBe(0);
    expect(again.text).toBe(first.text);
    expect(it.warnings).toEqual([
      expect.stringMatching(/^A saved prefix of a \(9\d\d tokens\) could not be used/),
    ]);
    expect(it.store.totalBytes).toBe(0);
    await it.stop();
    expect(onlyState(dir)).not.toBe(path);
  });

  test('damage that comes after the load is found too', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const it = keeper(dir);
    const first = await readAndStop(it, promptOf(1));
    await it.load();
    // One more of the same kind: its state is asked for, so that the first's has been looked at by then.
    await it.ask(promptOf(2, 10));
    flip(onlyState(dir), 100_000);
    const again = await it.ask(promptOf(1));
    expect(again.usage?.cachedTokens).toBe(0);
    expect(again.text).toBe(first.text);
    expect(it.warnings).toHaveLength(1);
  });
});

describe('a state is not used', () => {
  test.each<[string, Partial<EngineSettings>]>([
    ['the context size', { contextSize: 1800 }],
    ['flash attention', { ...LONG, flashAttention: true }],
  ])('when %s changed since, and goes', async (_, changed) => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const it = keeper(dir);
    await readAndStop(it, promptOf(1));
    const old = onlyState(dir);
    await it.load('a', DEMO_MODEL, changed);
    expect((await it.ask(promptOf(1))).usage?.cachedTokens).toBe(0);
    await it.stop();
    expect(onlyState(dir)).not.toBe(old);
  });

  test('when the model\u2019s file changed since', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'model.gguf');
    copyFileSync(DEMO_MODEL, path);
    const it = keeper(join(folder, 'prefix-cache'));
    await readAndStop(it, promptOf(1), 'a', path);
    utimesSync(path, 1, 1);
    await it.load('a', path);
    expect((await it.ask(promptOf(1))).usage?.cachedTokens).toBe(0);
  });
});

test('models whose state cannot be cut are left out', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'sliding.gguf');
  makeModel({ shape: '15m', type: 'f16', vocab: '512', slidingWindow: 128 }, path);
  const dir = join(folder, 'prefix-cache');
  const it = keeper(dir);
  const first = await readAndStop(it, promptOf(1), 'a', path);
  expect(states(dir)).toEqual([]);
  await it.load('a', path);
  const again = await it.ask(promptOf(1));
  expect([again.usage?.cachedTokens, again.text]).toEqual([0, first.text]);
});

test('all files together stay within the bound: what is worth least goes', async () => {
  const dir = join(temporaryFolder(), 'prefix-cache');
  const measuring = keeper(join(temporaryFolder(), 'prefix-cache'));
  await readAndStop(measuring, promptOf(1));
  const limitBytes = Math.round(measuring.store.totalBytes * 1.5);
  const it = keeper(dir, { limitBytes });
  for (const kind of [1, 2, 3]) {
    await it.load();
    await it.ask(promptOf(kind));
    await it.stop();
    const onDisk = states(dir).reduce((sum, path) => sum + statSync(path).size, 0);
    expect(onDisk).toBeLessThanOrEqual(limitBytes);
    expect(it.store.totalBytes).toBe(onDisk);
    onlyState(dir);
    expect(it.warnings).toEqual([]);
  }
});

describe('a disk that cannot be written to', () => {
  test('fails no stop, and the model loads again', async () => {
    const folder = temporaryFolder();
    const dir = join(folder, 'prefix-cache');
    const it = keeper(dir);
    await it.load();
    const first = await it.ask(promptOf(1));
    // As root no permission keeps anybody out; a folder in the place of each file does.
    const key = await keyNow();
    for (let number = 1; number <= 5; number++)
      mkdirSync(join(dir, key, `${number}.state`), { recursive: true });
    await it.stop();
    expect(it.store.totalBytes).toBe(0);
    expect(it.warnings).toEqual([expect.stringContaining('Prefix caches may not be kept')]);
    await it.load();
    expect((await it.ask(promptOf(1))).text).toBe(first.text);
  });

  test('because a file lies where the folder should be: nothing is kept, and everything works', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    writeFileSync(dir, 'in the way');
    const it = keeper(dir);
    const first = await readAndStop(it, promptOf(1));
    await it.load();
    const again = await it.ask(promptOf(1));
    expect([again.usage?.cachedTokens, again.text]).toEqual([0, first.text]);
    expect(it.warnings.length).toBeGreaterThan(0);
  });

  /** The folder of what the demo model saves now. */
  async function keyNow(): Promise<string> {
    const started = await startEngine();
    onTestFinished(() => endEngine(started));
    const { build } = await started.engine.ready;
    return prefixKey(DEMO_MODEL, { ...SETTINGS, ...LONG }, build);
  }
});

describe('when the app quits', () => {
  test('nothing stays on disk', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const it = keeper(dir);
    await readAndStop(it, promptOf(1));
    await it.quit();
    expect(existsSync(dir)).toBe(false);
  });

  test('what a crash left is gone at the next start', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const crashed = keeper(dir);
    await readAndStop(crashed, promptOf(1));
    onlyState(dir);
    const it = keeper(dir);
    await it.load();
    expect((await it.ask(promptOf(1))).usage?.cachedTokens).toBe(0);
    expect(states(dir)).toEqual([]);
  });

  test('it stays where that is wanted, what is loaded then too, and the next start uses it', async () => {
    const dir = join(temporaryFolder(), 'prefix-cache');
    const it = keeper(dir, { keepOnQuit: true });
    const first = await readAndStop(it, promptOf(1));
    await it.load();
    const second = await it.ask(promptOf(2));
    await it.quit(true);
    expect(states(dir)).toHaveLength(2);
    const next = keeper(dir, { keepOnQuit: true });
    await next.load();
    for (const [kind, { text }] of [
      [1, first],
      [2, second],
    ] as const) {
      const again = await next.ask(promptOf(kind));
      expect([again.usage?.cachedTokens, again.text]).toEqual([PROMPT_TOKENS - 1, text]);
    }
  });
});

test('over the port: a model that had to make room answers from what it had read, and quitting leaves nothing', async () => {
  const folder = temporaryFolder();
  const files = ['a', 'b'].map((name) => join(folder, `${name}.gguf`));
  for (const file of files) copyFileSync(DEMO_MODEL, file);
  const server = await serveApp(`version: 1
memory: { maxLoadedModels: 1, minResidency: 0s }
models:
  a: { file: '${files[0]}', contextSize: 2048 }
  b: { file: '${files[1]}', contextSize: 2048 }
`);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const prompt = promptOf(1);
  if (prompt.kind !== 'tokens') throw new Error('a prompt of tokens');
  const complete = async (model: string) => {
    const response = await fetch(`${server.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, prompt: prompt.tokens, max_tokens: 12, temperature: 0 }),
    });
    // The shape that the OpenAI API documents; other tests hold the port to it.
    const answer = (await response.json()) as {
      choices: [{ text: string }];
      usage: { prompt_tokens_details: { cached_tokens: number } };
    };
    return [answer.choices[0].text, answer.usage.prompt_tokens_details.cached_tokens] as const;
  };
  const [text, cached] = await complete('a');
  expect(cached).toBe(0);
  expect(await complete('b')).toEqual([text, 0]);
  expect(await complete('a')).toEqual([text, PROMPT_TOKENS - 1]);
  const dir = join(server.dataDir, 'prefix-cache');
  expect(states(dir)).toHaveLength(2);
  const { memory } = await server.admin<Snapshot>('app.snapshot', {});
  expect(memory.prefixCache).toEqual({ bytes: expect.any(Number), limitBytes: 2 * GIB });
  expect(memory.prefixCache?.bytes).toBeGreaterThan(PROMPT_TOKENS);
  await server.stop();
  expect(existsSync(dir)).toBe(false);
});
