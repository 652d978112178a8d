import { systemClock } from '../../src/main/clock.ts';
import { Engine } from '../../src/main/engine/engine.ts';
import { spawnByFork } from '../../src/main/engine/spawn-fork.ts';
import { headerFor } from '../fixtures/engine-header.ts';

/*
 * A program that has an engine and is killed by a test. Says the engine's process id once that is in the state asked for:
 * `node lonely-parent.ts ENGINE_CHILD MODEL starting|idle|generating`.
 */

const [, , child = '', model = '', state = ''] = process.argv;
const engine = new Engine(spawnByFork(child, () => {})(), {
  clock: systemClock,
  silenceLimitMs: 60_000,
  stallLimitMs: 60_000,
  onProgress: () => {},
  onExit: () => {},
});
if (state !== 'starting') {
  await engine.load({
    path: model,
    header: headerFor(model),
    settings: {
      contextSize: 2048,
      parallel: 1,
      batchSize: 128,
      flashAttention: 'auto',
      cacheType: 'f16',
      gpuLayers: 0,
      chatTemplateFile: null,
    },
  });
}
if (state === 'generating') void generateForEver();
else process.stdout.write(`${engine.pid}\n`);
setInterval(() => {}, 1000);

async function generateForEver(): Promise<void> {
  for (let count = 0; ; count++) {
    const request = {
      prompt: { kind: 'text' as const, text: `Story ${count}` },
      maxTokens: null,
      stop: [],
      sampling: {
        temperature: 1.5,
        topP: 1,
        topK: 0,
        minP: 0,
        repeatPenalty: 1,
        frequencyPenalty: 0,
        presencePenalty: 0,
        logitBias: [],
        seed: count,
      },
    };
    for await (const _ of engine.generate(request, new AbortController().signal)) {
      if (count === 0) process.stdout.write(`${engine.pid}\n`);
      count++;
    }
  }
}
