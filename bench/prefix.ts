import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '../src/main/clock.ts';
import { readModelHeader } from '../src/main/engine/child/gguf-header.ts';
import { EngineHost, type HostEvents } from '../src/main/engine/host.ts';
import { PrefixStore } from '../src/main/engine/prefix-store.ts';
import { engineHeader } from '../src/main/engine/protocol-estimate.ts';
import { spawnByFork } from '../src/main/engine/spawn-fork.ts';
import type { EngineRequest, Usage } from '../src/shared/generation.ts';
import { GREEDY } from '../test/fixtures/greedy.ts';
import { checkBound, median, printTable } from './figures.ts';
import { makeModel } from './make-model.ts';

/*
 * What it is worth to keep what a model had read: a prompt of 1,000 tokens is read by one engine process, which is then
 * stopped as an evicted one is; another process loads the model and gets the same prompt. One thread, greedy.
 */

const ROUNDS = 5;
const PROMPT_TOKENS = 1000;
const ANSWER_TOKENS = 16;
const MODEL_ID = 'bench';
const ENGINE_CHILD = resolve(import.meta.dirname, '../out/main/engine-child.js');

const dir = await mkdtemp(join(tmpdir(), 'roundhouse-prefix-'));
const path = join(dir, '135m.gguf');
makeModel({ shape: '135m', type: 'f16', vocab: '32k' }, path);
const settings = {
  contextSize: 2048,
  parallel: 1,
  batchSize: 512,
  flashAttention: false,
  cacheType: 'f16',
  threads: 1,
  gpuLayers: 0,
  chatTemplateFile: null,
} as const;

const store = new PrefixStore({
  dir: join(dir, 'prefix-cache'),
  clock: systemClock,
  settings: { limitBytes: 2 * 1024 ** 3, keepOnQuit: false },
  warn: (message) => console.error(message),
});
let happened = Promise.withResolvers<void>();
const host = new EngineHost({
  spawn: spawnByFork(ENGINE_CHILD, (text) => process.stderr.write(text)),
  clock: systemClock,
  silenceLimitMs: 120_000,
  stallLimitMs: 60_000,
  cores: 1,
  footprintBytes: async () => null,
  prefixes: store,
  on: {
    loaded: () => happened.resolve(),
    loadFailed: (_, error) => happened.reject(error),
    exited: () => happened.resolve(),
    progress() {},
    standbyExited() {},
    metalFound() {},
    standbyMeasured() {},
  } satisfies HostEvents,
});

const rounds = [];
for (let round = 0; round < ROUNDS; round++) {
  const prompt = promptOf(round);
  await load();
  const read = await ask(prompt);
  const bytesBefore = store.totalBytes;
  const stopMs = await stop();
  await load();
  const restored = await ask(prompt);
  // What came after the restoring is not to be saved: it is measured in the next round.
  await host.close();
  rounds.push({ read, restored, stopMs, bytes: store.totalBytes - bytesBefore });
}
await store.close();
await rm(dir, { recursive: true });

printTable(
  ['round', 'read, ms', 'restored, ms', 'stop with saving, ms', 'file, MB', 'cached', 'same text'],
  rounds.map(({ read, restored, stopMs, bytes }, round) => [
    round + 1,
    read.usage.prefillMs.toFixed(0),
    restored.usage.prefillMs.toFixed(1),
    stopMs.toFixed(0),
    (bytes / 1e6).toFixed(1),
    restored.usage.cachedTokens,
    String(read.text === restored.text),
  ]),
);
const readMs = median(rounds.map(({ read }) => read.usage.prefillMs));
const restoredMs = median(rounds.map(({ restored }) => restored.usage.prefillMs));
console.log(
  `first token: ${readMs.toFixed(0)} ms when ${PROMPT_TOKENS} tokens are read, ${restoredMs.toFixed(1)} ms when they are restored (medians of ${ROUNDS})`,
);
checkBound('first token, read against restored', readMs / restoredMs, 20, 'at least');
checkBound(
  'rounds with the same text and all but the last token restored',
  rounds.filter(
    ({ read, restored }) => read.text === restored.text && restored.usage.cachedTokens === PROMPT_TOKENS - 1,
  ).length,
  ROUNDS,
  'at least',
);

function promptOf(round: number): number[] {
  return Array.from({ length: PROMPT_TOKENS }, (_, index) => 3 + ((index * (round + 7) + round * 31) % 247));
}

async function load(): Promise<void> {
  happened = Promise.withResolvers();
  host.load(MODEL_ID, { path, header: engineHeader(readModelHeader(path)), settings });
  await happened.promise;
}

async function stop(): Promise<number> {
  happened = Promise.withResolvers();
  const startMs = performance.now();
  host.stop(MODEL_ID, false);
  await happened.promise;
  return performance.now() - startMs;
}

async function ask(tokens: readonly number[]): Promise<{ text: string; usage: Usage }> {
  const request: EngineRequest = {
    prompt: { kind: 'tokens', tokens: [...tokens] },
    maxTokens: ANSWER_TOKENS,
    stop: [],
    sampling: GREEDY,
  };
  let text = '';
  for await (const part of host.engineOf(MODEL_ID)?.generate(request, new AbortController().signal) ?? []) {
    if (part.type === 'text-delta') text += part.text;
    else if (part.type === 'error') throw new Error(part.error.message);
    else if (part.type === 'usage') return { text, usage: part };
  }
  throw new Error('the engine has no model');
}
