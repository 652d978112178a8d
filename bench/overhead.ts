import {
  getLlama,
  type Llama,
  type LlamaContextSequence,
  LlamaLogLevel,
  type LlamaModel,
} from 'node-llama-cpp';
import { serveApp } from '../test/harness/served-app.ts';
import { checkBound, median, printTable } from './figures.ts';
import { type TimedAnswer, timedChat } from './timed-chat.ts';

/*
 * What Roundhouse costs: the same question to the same model, in turn through the port (HTTP, main process, engine
 * child, and back) and by calling node-llama-cpp in this process. Each on one thread; never both at once. In turns of six
 * questions, of which the first is not counted: whoever has just paused is cold, and that would be measured instead.
 */

/** The first block warms up. */
const BLOCKS = 11;
const BLOCK = 5;
const MAX_TOKENS = 200;
const MODEL_FILE = 'resources/models/roundhouse-demo.gguf';

const ANIMALS = ['dog', 'cat', 'fox', 'owl', 'bear', 'rabbit', 'mouse', 'duck', 'horse', 'frog'];

/** A different beginning each time, so that no prefix is cached; long answers. */
function question(round: number): string {
  return `${ANIMALS[round % ANIMALS.length]} ${round}: tell me a short story about a ${ANIMALS[(round * 7) % ANIMALS.length]}`;
}

const llama: Llama = await getLlama({
  build: 'never',
  skipDownload: true,
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
  maxThreads: 1,
});
const model: LlamaModel = await llama.loadModel({ modelPath: MODEL_FILE, gpuLayers: 'max' });
const context = await model.createContext({
  contextSize: 2048,
  sequences: 2,
  batchSize: 512,
  flashAttention: 'auto',
  threads: 1,
});
const sequence: LlamaContextSequence = context.getSequence();

async function direct(content: string): Promise<TimedAnswer> {
  const startMs = performance.now();
  await sequence.clearHistory();
  const prompt = model.tokenize(`<|im_start|>user\n${content}<|im_end|>\n<|im_start|>assistant\n`, true);
  const tokens = [];
  let firstTokenMs = 0;
  for await (const token of sequence.evaluate(prompt, {
    temperature: 0,
    topK: 0,
    topP: 1,
    seed: 1,
  })) {
    if (tokens.length === 0) firstTokenMs = performance.now() - startMs;
    tokens.push(token);
    if (tokens.length === MAX_TOKENS) break;
  }
  return {
    text: model.detokenize(tokens),
    completionTokens: tokens.length,
    firstTokenMs,
    totalMs: performance.now() - startMs,
  };
}

function tokensPerSecond({ completionTokens, firstTokenMs, totalMs }: TimedAnswer): number {
  return ((completionTokens - 1) / (totalMs - firstTokenMs)) * 1000;
}

await using server = await serveApp(`version: 1
models:
  demo: { file: 'builtin:demo', contextSize: 2048, parallel: 2, pinned: true }
`);

const rates: number[] = [];
const delays: number[] = [];
const rows: (string | number)[][] = [];
for (let block = 0; block < BLOCKS; block++) {
  const contents = Array.from({ length: BLOCK + 1 }, (_, index) => question(block * (BLOCK + 1) + index));
  const here: TimedAnswer[] = [];
  const there: TimedAnswer[] = [];
  for (const content of contents) here.push(await direct(content));
  for (const content of contents) there.push(await timedChat(server.url, 'demo', content, MAX_TOKENS));
  for (const [index, own] of here.entries()) {
    const port = there[index];
    if (own.text !== port?.text) throw new Error(`different answers:\n${own.text}\n${port?.text}`);
    if (block === 0 || index === 0) continue;
    rates.push(tokensPerSecond(port) / tokensPerSecond(own));
    delays.push(port.firstTokenMs - own.firstTokenMs);
    rows.push([
      `${block}.${index}`,
      own.completionTokens,
      tokensPerSecond(own).toFixed(0),
      tokensPerSecond(port).toFixed(0),
      own.firstTokenMs.toFixed(2),
      port.firstTokenMs.toFixed(2),
    ]);
  }
}
printTable(['round', 'tokens', 'direct tok/s', 'port tok/s', 'direct first ms', 'port first ms'], rows);
checkBound('tokens/s through the port, as a share of direct (median)', median(rates), 0.9, 'at least');
checkBound('first token later than direct, ms (median)', median(delays), 2, 'at most');
await context.dispose();
await model.dispose();
