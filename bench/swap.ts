import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveApp } from '../test/harness/served-app.ts';
import { checkBound, median, quantile } from './figures.ts';
import { timedChat } from './timed-chat.ts';

/*
 * How long it takes to answer from the other model: two small models in turn under `maxLoadedModels: 1`, so that each
 * request unloads one model and loads the other. A swap is the time to the first text less the same of a warm request.
 */

const ROUNDS = 60;
const QUESTION = 'What is Roundhouse?';

const dir = await mkdtemp(join(tmpdir(), 'roundhouse-swap-'));
const files = ['a', 'b'].map((name) => join(dir, `${name}.gguf`));
for (const file of files) await copyFile('resources/models/roundhouse-demo.gguf', file);

{
  await using server = await serveApp(`version: 1
memory: { maxLoadedModels: 1, minResidency: 0s }
models:
  a: { file: '${files[0]}', contextSize: 2048 }
  b: { file: '${files[1]}', contextSize: 2048 }
`);
  const ask = async (model: string) => (await timedChat(server.url, model, QUESTION, 8)).firstTokenMs;
  for (const model of ['a', 'b', 'a', 'b']) await ask(model);

  for (const pauseMs of [1000, 0]) {
    const swaps: number[] = [];
    const warm: number[] = [];
    for (let round = 0; round < ROUNDS / (pauseMs === 0 ? 1 : 4); round++) {
      const model = round % 2 === 0 ? 'a' : 'b';
      swaps.push(await ask(model));
      warm.push(await ask(model));
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    const when = pauseMs === 0 ? 'at once after each other' : `with ${pauseMs} ms between`;
    console.log(
      `${when}: first token after a swap ${median(swaps).toFixed(1)} ms (p90 ${quantile(swaps, 0.9).toFixed(1)}), warm ${median(warm).toFixed(1)} ms, ${swaps.length} swaps`,
    );
    checkBound(`swap ${when}, ms (median)`, median(swaps) - median(warm), 40, 'at most');
  }
}
await rm(dir, { recursive: true });
