import { systemClock } from '../src/main/clock.ts';
import type { ProviderSettings } from '../src/main/config/settings.ts';
import { type GenerationRequest, NO_SAMPLING, PLAIN } from '../src/shared/generation.ts';
import { PROVIDER_KINDS, type ProviderKind } from '../src/shared/provider-kinds.ts';
import { collect } from '../test/fakes/collect.ts';
import { serveOpenAi } from '../test/fakes/wire/openai-wire.ts';
import { checkBound, median, printTable, quantile } from './figures.ts';
import { createRandom } from './trace/random.ts';

/*
 * What providers cost: making one, importing its SDK at the first request, asking through it rather than by hand; and
 * whether a mock keeps up with 500 requests a second.
 */

const ROUNDS = 200;
const ANSWERS = 300;
const MOCK_PER_SECOND = 500;
const MOCK_SECONDS = 5;

const importMs = await timed(() => import('../src/main/providers/create-provider.ts'));
const { createProvider } = await import('../src/main/providers/create-provider.ts');
const ports = {
  fetch,
  clock: systemClock,
  random: createRandom(1),
  own: () => null,
  maxOutputTokens: () => null,
};

function settingsOf(kind: ProviderKind, baseUrl: string | null): ProviderSettings {
  return {
    name: kind,
    kind,
    aliases: [],
    baseUrl,
    apiKey: 'key',
    apiKeyFrom: null,
    discover: false,
    timeoutMs: 120_000,
    limits: { requestsPerMinute: 1_000_000, tokensPerMinute: 1_000_000_000 },
    mock: {
      latencyMs: 20,
      tokensPerSecond: 200,
      errorRate: 0,
      errorKinds: ['server-error'],
      script: [],
      cutAfterTokens: null,
    },
  };
}

function chat(said: string): GenerationRequest {
  const prompt = { kind: 'chat', messages: [{ role: 'user', content: said }] } as const;
  return { prompt, maxTokens: null, stop: [], sampling: NO_SAMPLING, ...PLAIN };
}

async function timed(work: () => unknown): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

const never = new AbortController().signal;
const closed = 'http://127.0.0.1:1/v1';
let slowestMs = 0;
const rows: (string | number)[][] = [];
for (const kind of PROVIDER_KINDS) {
  const settings = settingsOf(kind, kind === 'mock' ? null : closed);
  const firstMs = await timed(() => createProvider(settings, ports));
  const all: number[] = [];
  for (let round = 0; round < ROUNDS; round++) all.push(await timed(() => createProvider(settings, ports)));
  slowestMs = Math.max(slowestMs, firstMs, ...all);
  // Nobody is there: what it takes is its SDK and a refused connection; the second time the connection alone.
  const provider = createProvider(settings, ports);
  const askOnce = () => collect(provider.generate('model', chat('Hi'), never).parts);
  const coldMs = await timed(askOnce);
  const warmMs = await timed(askOnce);
  rows.push([kind, firstMs.toFixed(2), median(all).toFixed(3), coldMs.toFixed(1), warmMs.toFixed(1)]);
}
console.log(`importing the room: ${importMs.toFixed(0)} ms`);
printTable(['kind', 'first made, ms', 'median, ms', 'first request, ms', 'second'], rows);
checkBound('making a provider, ms (the slowest of all)', slowestMs, 10, 'at most');

console.log('\nan answer of a server on this machine, by hand and through a provider');
await using server = await serveOpenAi('vllm', 'key');
const words = 'A few words to be streamed, '.repeat(10);
const provider = createProvider(settingsOf('openai-compatible', `${server.url}/v1`), ports);
/** Both give the times to the first text and to the end. */
const byHand = async () => {
  const startMs = performance.now();
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
    body: JSON.stringify({ model: 'fake-model', stream: true, messages: [{ role: 'user', content: words }] }),
  });
  let firstMs = 0;
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (firstMs === 0 && text.includes('"content":"You')) firstMs = performance.now() - startMs;
  }
  return { firstMs, wholeMs: performance.now() - startMs, events: text.split('data: ').length - 1 };
};
const through = async () => {
  const startMs = performance.now();
  let firstMs = 0;
  for await (const part of provider.generate('fake-model', chat(words), never).parts) {
    if (part.type === 'error') throw new Error(part.error.message);
    if (firstMs === 0) firstMs = performance.now() - startMs;
  }
  return { firstMs, wholeMs: performance.now() - startMs };
};
const hand: Awaited<ReturnType<typeof byHand>>[] = [];
const throughs: Awaited<ReturnType<typeof through>>[] = [];
for (let answer = 0; answer < ANSWERS; answer++) {
  // In turns, so that what else the machine does meets both.
  hand.push(await byHand());
  throughs.push(await through());
}
const middle = (values: readonly { firstMs: number; wholeMs: number }[], key: 'firstMs' | 'wholeMs') =>
  median(values.map((value) => value[key]));
const [first, whole] = (['firstMs', 'wholeMs'] as const).map(
  (key) => middle(throughs, key) - middle(hand, key),
);
const events = hand[0]?.events ?? 1;
console.log(
  `by hand: first text ${middle(hand, 'firstMs').toFixed(2)} ms, all ${middle(hand, 'wholeMs').toFixed(2)} ms`,
);
console.log(
  `through a provider: first text ${first?.toFixed(2)} ms later, all ${whole?.toFixed(2)} ms later`,
);
console.log(
  `${(((whole ?? 0) / events) * 1000).toFixed(0)} µs for each of the ${events} events (medians of ${ANSWERS})`,
);

console.log(`\na mock, ${MOCK_PER_SECOND} requests a second for ${MOCK_SECONDS} s, 20 tokens each`);
const mock = createProvider(settingsOf('mock', null), ports);
const request = chat('word '.repeat(20).trim());
/** 20 ms before the first token, and 19 times 5 ms. */
const EXPECTED_MS = 20 + 19 * 5;
const lateMs: number[] = [];
let failed = 0;
const running: Promise<void>[] = [];
const startMs = performance.now();
const askMock = async () => {
  const ms = await timed(async () => {
    for await (const part of mock.generate('mock', request, never).parts) if (part.type === 'error') failed++;
  });
  lateMs.push(ms - EXPECTED_MS);
};
for (let tick = 1; tick <= MOCK_SECONDS * 100; tick++) {
  for (let one = 0; one < MOCK_PER_SECOND / 100; one++) running.push(askMock());
  await new Promise((next) => setTimeout(next, Math.max(0, startMs + tick * 10 - performance.now())));
}
await Promise.all(running);
const seconds = (performance.now() - startMs) / 1000;
console.log(`${lateMs.length} answers in ${seconds.toFixed(1)} s, ${failed} failed`);
console.log(
  `later than they should be: median ${median(lateMs).toFixed(1)} ms, p99 ${quantile(lateMs, 0.99).toFixed(1)} ms`,
);
checkBound('mock: requests a second', lateMs.length / seconds, 0.95 * MOCK_PER_SECOND, 'at least');
