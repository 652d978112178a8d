import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  getLlama,
  type LlamaContextSequence,
  LlamaLogLevel,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp';
import { serveApp } from '../test/harness/served-app.ts';
import { checkBound, median, printTable } from './figures.ts';
import { makeModel } from './make-model.ts';
import { oneConnection, timedChat } from './timed-chat.ts';

/*
 * What all streams together get out of one engine: one, two and four at once through the port, and the same by calling
 * node-llama-cpp in this process. One thread each; never both at once; in turns.
 */

const STREAMS = [1, 2, 4] as const;
const MOST_STREAMS = 4;
/** The first warms up. */
const ROUNDS = 4;
const SHARE = 0.9;

/** One side of the comparison: answers all questions at once, each with as many tokens. */
type Answer = (questions: readonly string[], tokens: number) => Promise<number>;

const MODELS = {
  demo: { tokens: 200, recipe: null },
  '135m': { tokens: 48, recipe: { shape: '135m', type: 'f16', vocab: '32k' } },
} as const;

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const names = (['demo', '135m'] as const).filter(
  (name) => values.model === undefined || values.model === name,
);
if (names.length === 0) throw new Error(`there is no model "${values.model}" here; there are demo and 135m`);

const dir = await mkdtemp(join(tmpdir(), 'roundhouse-throughput-'));
const llama = await getLlama({
  build: 'never',
  skipDownload: true,
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
  maxThreads: 1,
});
try {
  for (const name of names) await compare(name);
} finally {
  await llama.dispose();
  await rm(dir, { recursive: true });
}

async function compare(name: keyof typeof MODELS): Promise<void> {
  const { tokens, recipe } = MODELS[name];
  const path = recipe === null ? 'resources/models/roundhouse-demo.gguf' : join(dir, `${name}.gguf`);
  if (recipe !== null) makeModel(recipe, path);
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 'max' });
  const context = await model.createContext({
    contextSize: 2048,
    sequences: MOST_STREAMS,
    batchSize: 512,
    flashAttention: 'auto',
    threads: 1,
  });
  const sequences = Array.from({ length: MOST_STREAMS }, () => context.getSequence());
  const file = recipe === null ? 'builtin:demo' : path;
  await using server = await serveApp(`version: 1
models:
  m: { file: '${file}', contextSize: 2048, parallel: ${MOST_STREAMS}, batchSize: 512, threads: 1, pinned: true }
`);
  const sides = { direct: directly(model, sequences), port: throughPort(server.url, endsOf(model)) };

  const rows: (string | number)[][] = [];
  const shares = new Map(STREAMS.map((streams) => [streams, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const streams of STREAMS) {
      const questions = Array.from({ length: streams }, (_, stream) => question(round, streams, stream));
      const direct = await tokensPerSecond(sides.direct, questions, tokens);
      const port = await tokensPerSecond(sides.port, questions, tokens);
      if (round === 0) continue;
      shares.get(streams)?.push(port / direct);
      rows.push([
        `${name}, ${streams} at once`,
        direct.toFixed(0),
        port.toFixed(0),
        (port / direct).toFixed(2),
      ]);
    }
  }
  printTable(['model and streams', 'direct tok/s', 'port tok/s', 'share'], rows);
  for (const [streams, all] of shares) {
    checkBound(
      `${name}, ${streams} at once: tokens/s as a share of direct (median)`,
      median(all),
      SHARE,
      'at least',
    );
  }
  await context.dispose();
  await model.dispose();
}

/** A beginning that no other has, so that no prefix is cached. */
function question(round: number, streams: number, stream: number): string {
  const animal = ['dog', 'cat', 'fox', 'owl', 'bear', 'duck'][(round + stream) % 6];
  return `${animal} ${round} ${streams} ${stream}: tell me a long story about a ${animal}`;
}

async function tokensPerSecond(
  answer: Answer,
  questions: readonly string[],
  tokens: number,
): Promise<number> {
  const startMs = performance.now();
  const made = await answer(questions, tokens);
  const ms = performance.now() - startMs;
  if (made !== questions.length * tokens)
    throw new Error(`${made} tokens came, not ${questions.length} × ${tokens}`);
  return (made / ms) * 1000;
}

/** What ends an answer: all are to be of one length, so it is banned over the port, and passed over by the library. */
function endsOf(model: LlamaModel): Token[] {
  return [...model.iterateAllTokens()].filter((token) => model.isEogToken(token));
}

function directly(model: LlamaModel, sequences: readonly LlamaContextSequence[]): Answer {
  const one = async (sequence: LlamaContextSequence, content: string, tokens: number): Promise<number> => {
    await sequence.clearHistory();
    const text = `<|im_start|>user\n${content}<|im_end|>\n<|im_start|>assistant\n`;
    let made = 0;
    for await (const _ of sequence.evaluate(model.tokenize(text, true), {
      temperature: 0,
      yieldEogToken: true,
    })) {
      if (++made === tokens) break;
    }
    return made;
  };
  return async (questions, tokens) => {
    const made = await Promise.all(
      sequences
        .slice(0, questions.length)
        .map((sequence, index) => one(sequence, questions[index] ?? '', tokens)),
    );
    return made.reduce((sum, count) => sum + count, 0);
  };
}

function throughPort(url: string, ends: readonly Token[]): Answer {
  const agents = Array.from({ length: MOST_STREAMS }, oneConnection);
  const more = { logit_bias: Object.fromEntries(ends.map((token) => [token, -100])) };
  return async (questions, tokens) => {
    const answers = await Promise.all(
      questions.map((content, index) => timedChat(url, 'm', content, tokens, agents[index], more)),
    );
    return answers.reduce((sum, { completionTokens }) => sum + completionTokens, 0);
  };
}
