import type { LlamaModel } from 'node-llama-cpp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ask, ask, demoTokenizer, endEngine, startModel, type TestEngine, tokensOf } from './harness.ts';

/** A question that the model answers at length, differently each time. */
const STORY = 'Tell me a story';
const HOT: Ask = { temperature: 1.5, maxTokens: 40 };

let it: TestEngine;
let tokenizer: LlamaModel;
let greedy: string;

beforeAll(async () => {
  [it, tokenizer] = await Promise.all([startModel(), demoTokenizer()]);
  greedy = (await ask(it.engine, STORY, { maxTokens: 40 })).text;
});
afterAll(() => endEngine(it));

const story = async (options: Ask) => (await ask(it.engine, STORY, options)).text;

/** Words that are one token each. */
function words(count: number): { readonly word: string; readonly token: number }[] {
  const found = [...tokenizer.iterateAllTokens()]
    .map((token) => ({ token, word: tokenizer.detokenize([token]) }))
    .filter(({ word }) => /^ [a-z]{3,}$/.test(word));
  expect(found.length).toBeGreaterThanOrEqual(count);
  return found.slice(0, count);
}

/** Nothing but these words can be said, and the answer does not end by itself. */
const only = (allowed: readonly { token: number }[], bias = 100): Ask => ({
  logitBias: allowed.map(({ token }) => [token, bias]),
});

describe('seeds', () => {
  test('the same seed gives the same text, another seed another', async () => {
    const first = await story({ ...HOT, seed: 7 });
    await ask(it.engine, 'What is 3 + 4?');
    expect(await story({ ...HOT, seed: 7 })).toBe(first);
    expect(await story({ ...HOT, seed: 8 })).not.toBe(first);
  });

  test.each([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff])('%i repeats', async (seed) => {
    expect(await story({ ...HOT, seed })).toBe(await story({ ...HOT, seed }));
  });

  test('eight seeds give eight texts', async () => {
    const texts = new Set<string>();
    for (let seed = 100; seed < 108; seed++) texts.add(await story({ ...HOT, seed }));
    expect(texts.size).toBe(8);
  });
});

describe('the most likely token is taken', () => {
  test.each([
    ['at temperature 0, whatever the seed', { temperature: 0, seed: 99 }],
    ['when nearly nothing of the probability is left', { ...HOT, topP: 1e-6 }],
    ['when nothing of it is left', { ...HOT, topP: 0 }],
    ['when one token is left', { ...HOT, topK: 1 }],
    ['when all must be as likely as the first', { ...HOT, minP: 1 }],
  ])('%s', async (_, options: Ask) => {
    expect(await story({ maxTokens: 40, ...options })).toBe(greedy);
  });
});

test.each([
  ['temperature', { temperature: 1.5 }],
  ['top_p of all', { temperature: 1.5, topP: 1 }],
  ['top_k of none', { temperature: 1.5, topK: 0 }],
])('without a limit the text wanders: %s', async (_, options: Ask) => {
  expect(await story({ maxTokens: 40, seed: 3, ...options })).not.toBe(greedy);
});

describe('a bias', () => {
  test('of −100 bans a token', async () => {
    const [first = 0] = tokensOf(tokenizer, greedy);
    const text = await story({ maxTokens: 20, logitBias: [[first, -100]] });
    expect(tokensOf(tokenizer, text)).not.toContain(first);
    expect(text).not.toBe('');
  });

  test('of +100 forces one, among others and again and again', async () => {
    const [only1] = words(1);
    if (!only1) throw new Error('the vocabulary has no word');
    expect(await story({ maxTokens: 6, ...only([only1]) })).toBe(only1.word.repeat(6));
  });

  test('bans the end of the answer, and forces it', async () => {
    const eos = tokenizer.tokens.eos ?? 0;
    const endless = await ask(it.engine, 'Hi', { maxTokens: 80, logitBias: [[eos, -100]] });
    expect({ reason: endless.reason, tokens: endless.usage?.completionTokens }).toEqual({
      reason: 'length',
      tokens: 80,
    });
    const silent = await ask(it.engine, 'Hi', { logitBias: [[eos, 100]] });
    expect({ reason: silent.reason, text: silent.text }).toEqual({ reason: 'stop', text: '' });
  });

  test('for a token that the model does not have is refused', async () => {
    const vocabulary = [...tokenizer.iterateAllTokens()].length;
    const last = await ask(it.engine, 'Hi', { maxTokens: 1, logitBias: [[vocabulary - 1, -100]] });
    expect(last.error).toBeNull();
    const { error } = await ask(it.engine, 'Hi', { logitBias: [[vocabulary, -100]] });
    expect(error).toMatchObject({ code: 'invalid_request', param: 'logit_bias' });
    expect(error?.message).toContain(
      `token ${vocabulary} is not in this model's vocabulary of ${vocabulary}`,
    );
  });
});

describe('repetition', () => {
  const WORDS = 100;
  const said = async (options: Ask, maxTokens: number) =>
    (await story({ ...only(words(WORDS), 100_000), ...options, maxTokens })).trim().split(' ');

  test('is what happens when nothing is said against it', async () => {
    const all = await said({}, WORDS);
    expect(new Set(all).size).toBeLessThan(WORDS / 2);
  });

  // Far beyond 64 tokens, where the library alone forgets.
  test.each([
    ['the presence penalty', { presencePenalty: 1000 }],
    ['the frequency penalty', { frequencyPenalty: 1000 }],
    ['the repeat penalty', { repeatPenalty: 10 }],
  ])('%s keeps a hundred words different: the first still counts at the last', async (_, options) => {
    const all = await said(options, WORDS);
    expect(new Set(all).size).toBe(WORDS);
  });

  test('the frequency penalty counts how often, the presence penalty only whether', async () => {
    const twice = await said({ frequencyPenalty: 1000 }, 2 * WORDS);
    for (const { word } of words(WORDS)) expect(twice.filter((each) => ` ${each}` === word)).toHaveLength(2);
    const more = await said({ presencePenalty: 1000 }, 2 * WORDS);
    expect(new Set(more.slice(0, WORDS)).size).toBe(WORDS);
    expect(new Set(more.slice(WORDS)).size).toBeLessThan(WORDS);
  });

  test('the penalties of the OpenAI API are subtracted as it says', async () => {
    // A favourite by 60 stays one when it is penalised by 2, but not when by 2 for each time it was said.
    const [word] = words(1);
    if (!word) throw new Error('the vocabulary has no word');
    const favourite = { logitBias: [[word.token, 60]] as const, maxTokens: 60 };
    const present = await story({ ...favourite, presencePenalty: 2 });
    expect(present).toBe(word.word.repeat(60));
    const frequent = await story({ ...favourite, frequencyPenalty: 2 });
    expect(frequent.split(word.word).length - 1).toBeLessThan(40);
    expect(frequent.startsWith(word.word.repeat(10))).toBe(true);
  });

  test('a negative penalty invites it', async () => {
    const invited = await said({ presencePenalty: -1000 }, 20);
    expect(new Set(invited).size).toBe(1);
  });
});
