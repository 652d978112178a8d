import { describe, expect, test } from 'vitest';
import { collect } from '../../../../test/fakes/collect.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { type GenerationRequest, NO_SAMPLING, PLAIN, type StreamPart } from '../../../shared/generation.ts';
import type { MockErrorKind } from '../../../shared/provider-kinds.ts';
import type { MockSettings } from '../../config/settings.ts';
import { createProvider } from '../create-provider.ts';
import type { Provider } from '../provider.ts';

const never = new AbortController().signal;
const AT_ONCE: MockSettings = {
  latencyMs: 0,
  tokensPerSecond: Number.POSITIVE_INFINITY,
  errorRate: 0,
  errorKinds: ['server-error'],
  script: [],
  cutAfterTokens: null,
};

function mockWith(
  mock: Partial<MockSettings> = {},
  { clock = new ManualClock(), random = (): number => 0.5, requestsPerMinute = null as number | null } = {},
): Provider {
  return createProvider(
    {
      name: 'mock',
      kind: 'mock',
      aliases: [],
      baseUrl: null,
      apiKey: null,
      apiKeyFrom: null,
      discover: false,
      timeoutMs: 60_000,
      limits: { requestsPerMinute, tokensPerMinute: null },
      mock: { ...AT_ONCE, ...mock },
    },
    { fetch, clock, random, own: () => null, maxOutputTokens: () => null },
  );
}

function chat(content: string, more: Partial<GenerationRequest> = {}): GenerationRequest {
  const messages = [{ role: 'user' as const, content }];
  return {
    prompt: { kind: 'chat', messages },
    maxTokens: null,
    stop: [],
    sampling: NO_SAMPLING,
    ...PLAIN,
    ...more,
  };
}

function ask(provider: Provider, request: GenerationRequest): Promise<StreamPart[]> {
  return collect(provider.generate('mock', request, never).parts);
}

function textOf(parts: readonly StreamPart[]): string {
  return parts.flatMap((part) => (part.type === 'text-delta' ? [part.text] : [])).join('');
}

function callOf(parts: readonly StreamPart[]): unknown {
  const start = parts.find((part) => part.type === 'tool-call-start');
  const text = parts
    .flatMap((part) => (part.type === 'tool-call-delta' ? [part.argumentsText] : []))
    .join('');
  return start && { name: start.name, arguments: JSON.parse(text) };
}

describe('a mock answers', () => {
  test('what it was asked, word by word, and counts', async () => {
    const parts = await ask(mockWith(), chat('one  two\nthree '));
    expect(parts).toEqual([
      { type: 'text-delta', text: 'one' },
      { type: 'text-delta', text: '  two' },
      { type: 'text-delta', text: '\nthree' },
      { type: 'text-delta', text: ' ' },
      { type: 'finish', reason: 'stop' },
      expect.objectContaining({ type: 'usage', completionTokens: 4 }),
    ]);
  });

  test('by its script: the first entry that fits', async () => {
    const script = [
      { when: 'weather', answer: 'Sun.' },
      { when: null, answer: 'Whatever.' },
      { when: 'never', answer: 'reached' },
    ];
    const mock = mockWith({ script });
    expect(textOf(await ask(mock, chat('The weather?')))).toBe('Sun.');
    expect(textOf(await ask(mock, chat('never')))).toBe('Whatever.');
  });

  test('no more than is allowed, and nothing from a stop on', async () => {
    const cut = await ask(mockWith(), chat('a b c d', { maxTokens: 2 }));
    expect([textOf(cut), cut.at(-2)]).toEqual(['a b', { type: 'finish', reason: 'length' }]);
    expect(textOf(await ask(mockWith(), chat('a b END c', { stop: ['c', 'END'] })))).toBe('a b ');
  });

  test('by calling tools: those that are demanded, and those that its script names', async () => {
    const parameters = { type: 'object', properties: { city: { type: 'string', minLength: 6 } } } as const;
    const tools = [{ name: 'weather', description: null, parameters, strict: null }];
    const use = (choice: 'auto' | 'none' | 'required' | { name: string }) => ({
      tools: { tools, choice, parallel: null },
    });
    const plain = mockWith();
    expect(callOf(await ask(plain, chat('Hi', use('required'))))).toEqual({
      name: 'weather',
      arguments: { city: 'text..' },
    });
    expect(callOf(await ask(plain, chat('Hi', use({ name: 'weather' }))))).toMatchObject({ name: 'weather' });
    expect(callOf(await ask(plain, chat('Hi', use('auto'))))).toBeUndefined();
    const scripted = mockWith({
      script: [{ when: null, answer: '{"tool":"weather","arguments":{"city":"Bern"}}' }],
    });
    const parts = await ask(scripted, chat('Hi', use('auto')));
    expect(callOf(parts)).toEqual({ name: 'weather', arguments: { city: 'Bern' } });
    expect(parts.at(-2)).toEqual({ type: 'finish', reason: 'tool-calls' });
    expect(callOf(await ask(scripted, chat('Hi', use('none'))))).toBeUndefined();
    expect(textOf(await ask(scripted, chat('Hi')))).toContain('"tool"');
  });

  test('in the form that is demanded', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 3 } } } as const;
    const form = { type: 'json_schema', name: 'x', description: null, schema, strict: null } as const;
    expect(JSON.parse(textOf(await ask(mockWith(), chat('Hi', { responseFormat: form }))))).toEqual({ n: 3 });
    const any = await ask(mockWith(), chat('Hi', { responseFormat: { type: 'json_object' } }));
    expect(JSON.parse(textOf(any))).toEqual({ answer: 'Hi' });
  });

  test('raw prompts too, and with embeddings that are near where texts are alike', async () => {
    const mock = mockWith();
    expect(textOf(await ask(mock, { ...chat(''), prompt: { kind: 'text', text: 'Once upon' } }))).toBe(
      'Once upon',
    );
    const texts = ['red apple', 'red apples', 'a red apple', ''];
    const { vectors, promptTokens } = await mock.embed('mock', texts, { dimensions: null }, never);
    const [first = [], , third = []] = vectors;
    expect(promptTokens).toBe(7);
    for (const vector of vectors) expect(Math.hypot(...Array.from(vector))).toBeCloseTo(1);
    expect(
      Array.from(first).reduce((sum, value, index) => sum + value * (third[index] ?? 0), 0),
    ).toBeGreaterThan(0.5);
    expect((await mock.embed('mock', ['red apple'], { dimensions: null }, never)).vectors[0]).toEqual(first);
    expect((await mock.embed('mock', ['red'], { dimensions: 8 }, never)).vectors[0]).toHaveLength(8);
  });
});

describe('a mock takes its time', () => {
  test('before the first token, and between tokens', async () => {
    const clock = new ManualClock();
    const mock = mockWith({ latencyMs: 100, tokensPerSecond: 10 }, { clock });
    const generation = mock.generate('mock', chat('a b c'), never);
    const parts: StreamPart[] = [];
    const done = (async () => {
      for await (const part of generation.parts) parts.push(part);
    })();
    const seen: number[] = [];
    for (const ms of [99, 1, 99, 1, 100]) {
      await clock.untilTimers(1);
      clock.advance(ms);
      // As many turns as the answer takes through its generators.
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      seen.push(parts.filter(({ type }) => type === 'text-delta').length);
    }
    await done;
    expect(seen).toEqual([0, 1, 1, 2, 3]);
    expect(parts.at(-1)).toMatchObject({ type: 'usage', prefillMs: 100, decodeMs: 200 });
    expect(generation.timing()).toEqual({ waitMs: 0, loadMs: 0, backendMs: 100 });
    expect(clock.pendingTimers).toBe(0);
  });

  test('and stops when nobody wants the answer', async () => {
    const clock = new ManualClock();
    const mock = mockWith({ latencyMs: 100 }, { clock });
    const gone = new AbortController();
    const asked = collect(mock.generate('mock', chat('Hi'), gone.signal).parts);
    await clock.untilTimers(1);
    gone.abort();
    expect(await asked).toMatchObject([{ type: 'error', error: { code: 'cancelled' } }]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a mock fails', () => {
  test.each<readonly [MockErrorKind, string, string]>([
    ['auth', 'provider_auth', ''],
    ['rate-limited', 'provider_rate_limited', ''],
    ['server-error', 'provider_error', ''],
    ['garbage', 'provider_error', ''],
    ['cut', 'provider_error', 'a b'],
  ])('as %s', async (kind, code, text) => {
    const parts = await ask(mockWith({ errorRate: 1, errorKinds: [kind] }), chat('a b c d'));
    expect(parts.at(-1)).toMatchObject({ type: 'error', error: { code } });
    expect(textOf(parts)).toBe(text);
    expect(parts.some(({ type }) => type === 'finish')).toBe(false);
  });

  test('by hanging as long as it may', async () => {
    const clock = new ManualClock();
    const asked = ask(mockWith({ errorRate: 1, errorKinds: ['timeout'] }, { clock }), chat('Hi'));
    await clock.untilTimers(1);
    clock.advance(60_000);
    expect(await asked).toMatchObject([{ type: 'error', error: { code: 'provider_timeout' } }]);
  });

  test('as often as it is told to, in the ways that it is told, in turn', async () => {
    const chances = [0.1, 0.3, 0.1, 0.9, 0.2];
    const random = () => chances.shift() ?? 1;
    const mock = mockWith({ errorRate: 0.25, errorKinds: ['auth', 'server-error'] }, { random });
    const outcomes: unknown[] = [];
    for (let request = 0; request < 5; request++) {
      const last = (await ask(mock, chat('Hi'))).at(-1);
      outcomes.push(last?.type === 'error' ? last.error.code : last?.type);
    }
    expect(outcomes).toEqual(['provider_auth', 'usage', 'provider_error', 'usage', 'provider_auth']);
  });

  test('by breaking off after so many tokens', async () => {
    const parts = await ask(mockWith({ cutAfterTokens: 2 }), chat('a b c d'));
    expect(textOf(parts)).toBe('a b');
    expect(parts.at(-1)).toMatchObject({ type: 'error', error: { code: 'provider_error' } });
    expect(textOf(await ask(mockWith({ cutAfterTokens: 9 }), chat('a b')))).toBe('a b');
  });
});

test('a mock keeps its limits, and is well', async () => {
  const clock = new ManualClock();
  const mock = mockWith({}, { clock, requestsPerMinute: 1 });
  await ask(mock, chat('Hi'));
  expect(mock.limits()).toEqual({ requestsPerMinute: { used: 1, limit: 1 }, tokensPerMinute: null });
  expect(await ask(mock, chat('Hi'))).toMatchObject([
    { type: 'error', error: { code: 'provider_rate_limited', retryAfterMs: 60_000 } },
  ]);
  expect(await mock.health(never)).toMatchObject({ status: 'ok' });
  expect(await mock.listModels(never)).toMatchObject([{ remoteId: 'mock' }]);
});
