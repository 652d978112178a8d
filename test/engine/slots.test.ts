import type { LlamaModel } from 'node-llama-cpp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answerOf,
  ask,
  chatText,
  demoTokenizer,
  endEngine,
  NEVER,
  requestFor,
  startModel,
  type TestEngine,
  tokensOf,
} from './harness.ts';

const QUESTIONS = ['What is Roundhouse?', 'What is the capital of France?', 'Tell me a story'];

let it: TestEngine;
let tokenizer: LlamaModel;
let endless: { readonly logitBias: [number, number][]; readonly maxTokens: null };

beforeAll(async () => {
  [it, tokenizer] = await Promise.all([
    // Small batches, so that reading a long prompt takes many.
    startModel({ parallel: 3, batchSize: 32, contextSize: 2048 }),
    demoTokenizer(),
  ]);
  endless = { logitBias: [[tokenizer.tokens.eos ?? 0, -100]], maxTokens: null };
});
afterAll(() => endEngine(it));

const promptTokens = (question: string) => tokensOf(tokenizer, chatText(question)).length;

/** A prompt that takes a while to read, unlike any other. */
function longPrompt(first: string) {
  const tokens = tokensOf(tokenizer, `${first}${' the house by the river'.repeat(400)}`).slice(0, 1900);
  expect(tokens).toHaveLength(1900);
  return { kind: 'tokens' as const, tokens };
}

/** Asks all at once and gives the texts. */
const askAll = async (questions: readonly string[]) =>
  (await Promise.all(questions.map((question) => ask(it.engine, question)))).map(({ text }) => text);

describe('slots side by side', () => {
  test('give the answers that each would give alone', async () => {
    const alone: string[] = [];
    for (const question of QUESTIONS) alone.push((await ask(it.engine, question)).text);
    expect(new Set(alone).size).toBe(QUESTIONS.length);
    for (let round = 0; round < 3; round++) expect(await askAll(QUESTIONS)).toEqual(alone);
    expect(await askAll(QUESTIONS.toReversed())).toEqual(alone.toReversed());
  });

  test('keep each its own conversation, and the one that fits best is taken', async () => {
    await askAll(QUESTIONS);
    for (const question of QUESTIONS.toReversed()) {
      const { usage } = await ask(it.engine, question);
      expect(usage?.cachedTokens).toBe(promptTokens(question) - 1);
    }
  });

  test('a request beyond them is an error, and no other suffers', async () => {
    const answers = await Promise.all(
      [...QUESTIONS, 'What is 3 + 4?'].map((question) => ask(it.engine, question)),
    );
    expect(answers.map(({ error }) => error?.code)).toEqual([
      undefined,
      undefined,
      undefined,
      'internal_error',
    ]);
    expect((await ask(it.engine, 'What is 3 + 4?')).text).toBe('3 + 4 = 7.');
  });
});

test('a new conversation in a used slot does not wait for the others to end', async () => {
  await besideOthers(async () => {
    for (const question of [...QUESTIONS, ...QUESTIONS]) {
      expect((await ask(it.engine, question, { maxTokens: 3 })).reason).toBe('length');
    }
  });
});

/**
 * Runs beside generations that go on in every slot but one: a slot that is not given back is missed, and what waits for
 * the others to end finds that they were not to.
 */
async function besideOthers(run: () => Promise<void>): Promise<void> {
  const leaving = new AbortController();
  const others = ['Hi', 'What can you do?'].map((question) =>
    it.engine.generate(requestFor(question, endless), leaving.signal),
  );
  for (const other of others) expect((await other.next()).value).toMatchObject({ type: 'text-delta' });
  await run();
  for (const other of others) expect((await other.next()).value).toMatchObject({ type: 'text-delta' });
  leaving.abort();
  const ends = await Promise.all(others.map(answerOf));
  expect(ends.map(({ error }) => error?.code)).toEqual(['cancelled', 'cancelled']);
}

async function expectFreeSlot(): Promise<void> {
  expect((await ask(it.engine, 'What is 3 + 4?')).text).toBe('3 + 4 = 7.');
}

describe('a caller that leaves', () => {
  test('while its prompt is read stops the reading and frees the slot, beside others', async () => {
    await besideOthers(async () => {
      const leaving = new AbortController();
      const prompt = longPrompt('One');
      const left = ask(it.engine, prompt, { signal: leaving.signal });
      leaving.abort();
      expect(await left).toMatchObject({ error: { code: 'cancelled' }, chunks: [] });
      await expectFreeSlot();
    });
  });

  test('while its prompt is read does not have it read to the end', async () => {
    const leaving = new AbortController();
    const prompt = longPrompt('Two');
    const left = ask(it.engine, prompt, { signal: leaving.signal });
    leaving.abort();
    await left;
    const { usage } = await ask(it.engine, prompt, { maxTokens: 1 });
    expect(usage?.cachedTokens).toBeLessThan(1900 / 2);
  });

  test('while its answer is written frees the slot, beside others', async () => {
    await besideOthers(async () => {
      const leaving = new AbortController();
      const parts = it.engine.generate(requestFor('Tell me a story', endless), leaving.signal);
      expect((await parts.next()).value).toMatchObject({ type: 'text-delta' });
      leaving.abort();
      expect(await answerOf(parts)).toMatchObject({ error: { code: 'cancelled' } });
      await expectFreeSlot();
    });
  });

  test('by leaving the loop frees the slot, beside others', async () => {
    await besideOthers(async () => {
      for await (const part of it.engine.generate(requestFor('Tell me a story', endless), NEVER)) {
        expect(part.type).toBe('text-delta');
        break;
      }
      await expectFreeSlot();
    });
  });

  test('before it has asked costs nothing', async () => {
    const { error, chunks } = await ask(it.engine, longPrompt('Three'), { signal: AbortSignal.abort() });
    expect({ code: error?.code, chunks }).toEqual({ code: 'cancelled', chunks: [] });
    await expectFreeSlot();
  });

  test('over and over leaves every slot free', async () => {
    for (let round = 0; round < 10; round++) {
      const leaving = new AbortController();
      const left = QUESTIONS.map((question) =>
        ask(it.engine, question, { ...endless, signal: leaving.signal }),
      );
      leaving.abort();
      for (const { error } of await Promise.all(left)) expect(error?.code).toBe('cancelled');
    }
    const answers = await askAll(QUESTIONS);
    expect(answers[1]).toBe('The capital of France is Paris.');
  });
});
