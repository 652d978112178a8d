import { beforeEach, describe, expect, test } from 'vitest';
import { collect } from '../../test/fakes/collect.ts';
import { ManualClock } from '../../test/fakes/manual-clock.ts';
import { RoundhouseError } from '../shared/errors.ts';
import { type GenerationRequest, NO_SAMPLING, PLAIN, type StreamPart } from '../shared/generation.ts';
import { Accounting, type Destination } from './accounting.ts';
import type { Spending } from './usage/budget-book.ts';
import type { UsageRow } from './usage/usage-row.ts';

const REQUEST: GenerationRequest = {
  prompt: { kind: 'chat', messages: [{ role: 'user', content: '1234567890ab' }] },
  maxTokens: null,
  stop: [],
  sampling: NO_SAMPLING,
  ...PLAIN,
};
const ROUTE = { asked: 'tier:low', reason: 'tier:low → m (first of 1)' };
const CALLER = {
  requestId: 'req_1',
  keyName: 'editor',
  user: 'ada',
  contentType: null,
  streamed: true,
} as const;
const NEVER = new AbortController().signal;

const text = (part: string): StreamPart => ({ type: 'text-delta', text: part });
const FINISH: StreamPart = { type: 'finish', reason: 'stop' };
const USAGE: StreamPart = {
  type: 'usage',
  promptTokens: 10,
  cachedTokens: 4,
  cacheWriteTokens: 0,
  completionTokens: 3,
  reasoningTokens: 1,
  prefillMs: 20,
  decodeMs: 40,
};

let clock: ManualClock;
/** What happened, in order: reservations, rows and settlements. */
let log: string[];
let rows: UsageRow[];
let spendings: Spending[];
let refusal: RoundhouseError | null;
let keepsTexts: boolean;
let accounting: Accounting;

beforeEach(() => {
  clock = new ManualClock();
  log = [];
  rows = [];
  spendings = [];
  refusal = null;
  keepsTexts = false;
  accounting = new Accounting({
    clock,
    record: (row) => {
      rows.push(row);
      log.push('row');
    },
    reserve: (spending) => {
      if (refusal) throw refusal;
      spendings.push(spending);
      log.push('reserved');
      const settle = (cost: number | null) => void log.push(`settled ${cost}`);
      return { settle, [Symbol.dispose]: () => settle(null) };
    },
    keepsTexts: () => keepsTexts,
    onChange: () => {},
  });
});

/** A place that says these parts, each after as many milliseconds, and takes a nano-dollar a token. */
function destination(steps: readonly (readonly [afterMs: number, part: StreamPart])[]): Destination {
  return {
    provider: 'openai',
    modelId: 'm',
    generate: () => ({
      parts: (async function* () {
        for (const [afterMs, part] of steps) {
          clock.advance(afterMs);
          yield part;
        }
      })(),
      timing: () => ({ waitMs: 30, loadMs: 10, backendMs: 5 }),
    }),
    embed: () => Promise.reject(new Error('nobody embeds here')),
    cost: ({ promptTokens, completionTokens }) => ({
      nanoDollars: promptTokens + completionTokens,
      priceVersionId: 'p@1',
    }),
    maxOutputTokens: null,
  };
}

async function partsOf(to: Destination, request = REQUEST): Promise<readonly StreamPart[]> {
  return collect(accounting.generate(to, ROUTE, request, NEVER, CALLER).parts);
}

describe('one answer', () => {
  test('its parts go through as they are, and its row has times, tokens and cost', async () => {
    const parts = [text('a'), text('b'), FINISH, USAGE];
    const times = [100, 5, 5, 0];
    expect(await partsOf(destination(parts.map((part, index) => [times[index] ?? 0, part])))).toEqual(parts);
    const figures = {
      queueMs: 20,
      loadMs: 10,
      prefillMs: 20,
      promptTokens: 10,
      cachedTokens: 4,
      cacheWriteTokens: 0,
      completionTokens: 3,
      reasoningTokens: 1,
      firstTokenMs: 100,
      totalMs: 110,
      costNanoDollars: 13,
      priceVersion: 'p@1',
      status: 'ok',
      errorCode: null,
    };
    expect(rows).toEqual([
      {
        ...CALLER,
        atMs: expect.any(Number),
        asked: 'tier:low',
        route: 'tier:low → m (first of 1)',
        experiment: null,
        arm: null,
        tries: [{ provider: 'openai', model: 'm', ...figures }],
        answeredBy: 0,
        firstTokenMs: 100,
        totalMs: 110,
        status: 'ok',
        errorCode: null,
        text: null,
      },
    ]);
    expect(accounting.lastAnswerOf('m')).toEqual({ firstTokenMs: 100, tokensPerSecond: 50 });
  });

  test('the budget is asked before, and settled in the step in which the row is recorded', async () => {
    await partsOf(
      destination([
        [0, text('a')],
        [0, FINISH],
        [0, USAGE],
      ]),
    );
    expect(log).toEqual(['reserved', 'row', 'settled 13']);
  });

  test('thinking and tool calls are first tokens too', async () => {
    for (const first of [
      { type: 'reasoning-delta', text: 'hm' },
      { type: 'tool-call-start', index: 0, id: 'c', name: 'f' },
    ] satisfies StreamPart[]) {
      await partsOf(
        destination([
          [7, first],
          [1, FINISH],
        ]),
      );
      expect(rows.at(-1)).toMatchObject({ firstTokenMs: 7, totalMs: 8 });
    }
  });

  test('without usage its tokens and cost are unknown, which is not nothing', async () => {
    await partsOf(
      destination([
        [1, text('a')],
        [1, FINISH],
      ]),
    );
    expect(rows[0]?.tries[0]).toMatchObject({ status: 'ok', promptTokens: null, costNanoDollars: null });
    expect(log.at(-1)).toBe('settled null');
  });

  test('its text is kept only where texts are', async () => {
    keepsTexts = true;
    await partsOf(
      destination([
        [1, text('Par')],
        [1, text('is')],
        [1, FINISH],
        [0, USAGE],
      ]),
    );
    expect(rows[0]?.text).toEqual({ prompt: 'user: 1234567890ab', answer: 'Paris' });
  });
});

describe('what does not end well', () => {
  test('an error part: its code', async () => {
    const { message, ...error } = new RoundhouseError('provider_timeout', 'slow').toJSON();
    await partsOf(
      destination([
        [1, text('a')],
        [1, { type: 'error', error: { ...error, message } }],
      ]),
    );
    expect(rows[0]).toMatchObject({ status: 'error', errorCode: 'provider_timeout', answeredBy: null });
    expect(accounting.lastAnswerOf('m')).toBeNull();
  });

  test('a caller who leaves in the middle has cancelled, and what was reserved is given back', async () => {
    const { parts } = accounting.generate(
      destination([
        [1, text('a')],
        [1, text('b')],
        [1, FINISH],
      ]),
      ROUTE,
      REQUEST,
      NEVER,
      CALLER,
    );
    for await (const _ of parts) {
      expect(accounting.activeOf('m')).toBe(1);
      break;
    }
    expect(rows[0]).toMatchObject({ status: 'cancelled', errorCode: 'cancelled', firstTokenMs: 1 });
    expect(log).toEqual(['reserved', 'row', 'settled null']);
    expect(accounting.activeOf('m')).toBe(0);
  });

  test('a spent budget: nobody is asked, and the row has no try', async () => {
    refusal = new RoundhouseError('insufficient_quota', 'spent');
    const to = destination([]);
    const asked = { ...to, generate: () => Promise.reject(new Error('asked')) as never };
    expect(await partsOf(asked)).toMatchObject([{ type: 'error', error: { code: 'insufficient_quota' } }]);
    expect(rows).toMatchObject([
      { status: 'error', errorCode: 'insufficient_quota', tries: [], answeredBy: null },
    ]);
    expect(log).toEqual(['row']);
  });

  test('a stream that just ends was broken off', async () => {
    await partsOf(destination([[1, text('a')]]));
    expect(rows[0]).toMatchObject({ status: 'error', errorCode: 'internal_error' });
  });

  test('a cost that cannot be is unknown', async () => {
    const to = {
      ...destination([
        [1, FINISH],
        [0, USAGE],
      ]),
    };
    const mad = {
      ...to,
      cost: () => {
        throw new RangeError('too dear');
      },
    };
    await partsOf(mad);
    expect(rows[0]?.tries[0]).toMatchObject({ costNanoDollars: null, status: 'ok' });
  });
});

describe('what is reserved', () => {
  const reserved = async (to: Partial<Destination>, request: Partial<GenerationRequest> = {}) => {
    await partsOf({ ...destination([[0, FINISH]]), ...to }, { ...REQUEST, ...request });
    return spendings.at(-1)?.estimateNanoDollars;
  };
  // 12 characters and the message around them.
  const PROMPT = 7;

  test('the prompt with the tokens asked for, or with those of a usual answer, at most what the model can write', async () => {
    expect(await reserved({}, { maxTokens: 100 })).toBe(PROMPT + 100);
    expect(await reserved({})).toBe(PROMPT + 4096);
    expect(await reserved({ maxOutputTokens: 1000 })).toBe(PROMPT + 1000);
    expect(await reserved({ maxOutputTokens: 1000 }, { maxTokens: 5000 })).toBe(PROMPT + 1000);
    expect(await reserved({ maxOutputTokens: 64_000 }, { maxTokens: 50_000 })).toBe(PROMPT + 50_000);
    expect(spendings.at(-1)).toMatchObject({ provider: 'openai', model: 'm', user: 'ada' });
  });

  test('nothing for what is free, and nothing known where no price is', async () => {
    expect(await reserved({ cost: () => ({ nanoDollars: 0, priceVersionId: null }) })).toBe(0);
    expect(await reserved({ cost: () => null })).toBeNull();
  });
});

test('embeddings have their row too', async () => {
  const to: Destination = {
    ...destination([]),
    embed: async () => {
      clock.advance(9);
      return { vectors: [[1]], promptTokens: 5 };
    },
  };
  await accounting.embed(to, ROUTE, ['12345678'], { dimensions: null }, NEVER, {
    ...CALLER,
    streamed: false,
  });
  expect(rows[0]).toMatchObject({
    status: 'ok',
    streamed: false,
    tries: [{ promptTokens: 5, costNanoDollars: 5 }],
  });
  const failing = { ...to, embed: () => Promise.reject(new RoundhouseError('capability_missing', 'no')) };
  const asked = accounting.embed(failing, ROUTE, ['a'], { dimensions: null }, NEVER, CALLER);
  await expect(asked).rejects.toThrow('no');
  expect(rows[1]).toMatchObject({ status: 'error', errorCode: 'capability_missing' });
  expect(accounting.activeOf('m')).toBe(0);
});
