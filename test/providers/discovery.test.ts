import { expect, test } from 'vitest';
import type { CatalogModel } from '../../src/main/catalog/model.ts';
import { type Detection, type DetectionCache, discover } from '../../src/main/providers/models/discovery.ts';
import type { Provider } from '../../src/main/providers/provider.ts';
import { CAPABILITIES, type CapabilityMatrix } from '../../src/shared/capabilities.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { KNOWN_MODEL } from '../fakes/wire/brain.ts';
import { KEY, wired } from './harness.ts';

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

function cached(
  entries: Record<string, Detection> = {},
): DetectionCache & { readonly kept: Map<string, Detection> } {
  const kept = new Map(Object.entries(entries));
  return {
    kept,
    read: async (provider) => kept.get(provider) ?? null,
    write: async (provider, detection) => void kept.set(provider, detection),
  };
}

const UNKNOWN = Object.fromEntries(CAPABILITIES.map((name) => [name, 'unknown'])) as CapabilityMatrix;
const CATALOG_MODEL: CatalogModel = {
  provider: 'openai',
  id: KNOWN_MODEL,
  name: 'From the catalog',
  aliases: [],
  version: null,
  family: null,
  contextTokens: 1_047_576,
  maxOutputTokens: 32_768,
  knowledgeCutoff: null,
  stage: 'production',
  deprecation: null,
  capabilities: { ...UNKNOWN, image_input: 'yes', audio_input: 'no' },
  optimisation: { recommendedFor: [], bestPractices: [], tips: [], pitfalls: [] },
  pricingRef: null,
  prices: [],
  documentation: null,
  sources: [],
  lastVerified: null,
  files: [],
};
const catalog = {
  models: [CATALOG_MODEL],
  get: (provider: string, id: string) => (provider === 'openai' && id === KNOWN_MODEL ? CATALOG_MODEL : null),
};
const find = (providers: readonly Provider[], cache: DetectionCache, clock = new ManualClock()) =>
  discover(providers, { clock, cache, catalog }, HOUR_MS, never);

test('asks several at once, fills in from the catalog what they leave open, and keeps it with its date', async () => {
  const [openai, vllm] = [await wired('openai', { name: 'mine' }), await wired('vllm', { name: 'box' })];
  const cache = cached();
  const clock = new ManualClock();
  const found = await find([openai.provider, vllm.provider], cache, clock);
  expect(found).toMatchObject([
    {
      provider: 'mine',
      source: 'provider',
      detectedAtMs: clock.nowMs(),
      problem: null,
      models: [
        {
          name: 'From the catalog',
          contextSize: 1_047_576,
          capabilities: { image_input: 'yes', audio_input: 'no' },
        },
      ],
    },
    { provider: 'box', source: 'provider', models: [{ name: KNOWN_MODEL, contextSize: 32_768 }] },
  ]);
  // What is kept is what the provider said: the catalog may learn more.
  expect(cache.kept.get('mine')?.models).toMatchObject([{ name: KNOWN_MODEL, contextSize: null }]);
});

test('what a provider said lately is not asked again; what is old is', async () => {
  const { server, provider } = await wired('vllm', { name: 'box' });
  const cache = cached();
  const clock = new ManualClock();
  await find([provider], cache, clock);
  const asked = server.requests.length;
  clock.advance(HOUR_MS - 1);
  expect(await find([provider], cache, clock)).toMatchObject([
    { source: 'cache', detectedAtMs: clock.nowMs() - HOUR_MS + 1 },
  ]);
  expect(server.requests.length).toBe(asked);
  clock.advance(1);
  expect(await find([provider], cache, clock)).toMatchObject([{ source: 'provider' }]);
  expect(server.requests.length).toBe(2 * asked);
});

test('a provider that does not answer is taken at its last word, else at the catalog’s; others are not held up', async () => {
  const down = await wired('openai');
  down.server.misbehaviour = { kind: 'status', status: 500 };
  const old: Detection = { detectedAtMs: 0, models: [] };
  expect(await find([down.provider], cached({ cloud: old }))).toMatchObject([
    { source: 'cache', detectedAtMs: 0, problem: expect.stringContaining('500') },
  ]);
  const up = await wired('groq', { name: 'up' });
  expect(await find([down.provider, up.provider], cached())).toMatchObject([
    { source: 'catalog', detectedAtMs: null, models: [{ remoteId: KNOWN_MODEL, contextSize: 1_047_576 }] },
    { source: 'provider' },
  ]);
});

test('a detection from the future does not stay for ever', async () => {
  const { provider } = await wired('groq');
  const later: Detection = { detectedAtMs: Date.UTC(2100, 0), models: [] };
  expect(await find([provider], cached({ cloud: later }))).toMatchObject([{ source: 'provider' }]);
});

test('the key is not in what is kept', async () => {
  const { provider } = await wired('openrouter');
  const cache = cached();
  await find([provider], cache);
  expect(JSON.stringify([...cache.kept])).not.toContain(KEY);
});
