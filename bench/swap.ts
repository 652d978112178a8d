import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { serveApp } from '../test/harness/served-app.ts';
import { checkBound, median, quantile } from './figures.ts';
import { type ModelRecipe, makeModel } from './make-model.ts';
import { timedChat } from './timed-chat.ts';

/*
 * How long it takes to answer from the other model: two models in turn under `maxLoadedModels: 1`, so that each request
 * unloads one and loads the other. A swap is the time to the first text less the same of a warm request. Small models are
 * held against a figure; large ones against what node-llama-cpp takes to load one and make its context in a warm process.
 */

const QUESTION = 'What is Roundhouse?';
const CONTEXT = { contextSize: 2048, parallel: 2, batchSize: 256 } as const;
const WARM_LOADS = 5;

const dir = await mkdtemp(join(tmpdir(), 'roundhouse-swap-'));

const small = await twoModels({ shape: '260k', type: 'f16', vocab: '512' });
await swap('1 MB', small, { pauseMs: 1000, rounds: 20 }, 20);
await swap('1 MB', small, { pauseMs: 0, rounds: 60 }, 20);

const large = await twoModels({ shape: '135m', type: 'q8_0', vocab: '128k' });
const libraryMs = await libraryLoadMs(large[0]);
console.log(`node-llama-cpp in a warm process: load and context ${libraryMs.toFixed(0)} ms`);
await swap('199 MB, 128k vocabulary', large, { pauseMs: 1000, rounds: 10 }, 1.1 * libraryMs);
await swap('199 MB, 128k vocabulary', large, { pauseMs: 0, rounds: 20 }, 1.1 * libraryMs);

await rm(dir, { recursive: true });

/** The same model under two names. */
async function twoModels(recipe: ModelRecipe): Promise<readonly [string, string]> {
  const [a, b] = ['a', 'b'].map((name) => join(dir, `${name}-${recipe.shape}.gguf`)) as [string, string];
  makeModel(recipe, a);
  await copyFile(a, b);
  return [a, b];
}

async function swap(
  name: string,
  [a, b]: readonly [string, string],
  { pauseMs, rounds }: { readonly pauseMs: number; readonly rounds: number },
  boundMs: number,
): Promise<void> {
  const settings = `contextSize: ${CONTEXT.contextSize}, parallel: ${CONTEXT.parallel}, batchSize: ${CONTEXT.batchSize}`;
  await using server = await serveApp(`version: 1
memory: { maxLoadedModels: 1, minResidency: 0s }
models:
  a: { file: '${a}', ${settings} }
  b: { file: '${b}', ${settings} }
`);
  const ask = async (model: string) => (await timedChat(server.url, model, QUESTION, 8)).firstTokenMs;
  for (const model of ['a', 'b', 'a', 'b']) await ask(model);
  const swaps: number[] = [];
  const warm: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const model = round % 2 === 0 ? 'a' : 'b';
    swaps.push(await ask(model));
    warm.push(await ask(model));
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  const when = pauseMs === 0 ? 'at once after each other' : `with ${pauseMs} ms between`;
  console.log(
    `${name}, ${when}: first token after a swap ${median(swaps).toFixed(1)} ms (p90 ${quantile(swaps, 0.9).toFixed(1)}), warm ${median(warm).toFixed(1)} ms, ${swaps.length} swaps`,
  );
  checkBound(`swap ${name}, ${when}, ms (median)`, median(swaps) - median(warm), boundMs, 'at most');
}

/** As the library does it by itself, after a first load that warms the process. */
async function libraryLoadMs(modelPath: string): Promise<number> {
  const llama = await getLlama({
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    maxThreads: 1,
  });
  const times: number[] = [];
  for (let round = 0; round <= WARM_LOADS; round++) {
    const startMs = performance.now();
    const model = await llama.loadModel({ modelPath });
    const context = await model.createContext({
      contextSize: CONTEXT.contextSize,
      sequences: CONTEXT.parallel,
      batchSize: CONTEXT.batchSize,
    });
    times.push(performance.now() - startMs);
    await context.dispose();
    await model.dispose();
  }
  await llama.dispose();
  return median(times.slice(1));
}
