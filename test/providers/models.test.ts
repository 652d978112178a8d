import { describe, expect, test } from 'vitest';
import type { CatalogModel } from '../../src/main/catalog/model.ts';
import { type Detection, type DetectionCache, discover } from '../../src/main/providers/models/discovery.ts';
import type { Provider, RemoteModel } from '../../src/main/providers/provider.ts';
import { CAPABILITIES, type CapabilityMatrix } from '../../src/shared/capabilities.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { KNOWN_MODEL } from '../fakes/wire/brain.ts';
import { KEY, TIMEOUT_MS, WIRES, type Wire, wired } from './harness.ts';

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

async function listed(wire: Wire): Promise<readonly RemoteModel[]> {
  const { provider } = await wired(wire);
  return provider.listModels(never);
}

describe('what a provider says of its models', () => {
  const SAID: Readonly<Record<Wire, Partial<RemoteModel>>> = {
    openai: { contextSize: null, capabilities: {}, ownedBy: 'system' },
    anthropic: {
      name: 'Fake Model',
      contextSize: 200_000,
      maxOutputTokens: 64_000,
      capabilities: { image_input: 'yes', extended_thinking: 'yes', structured_output: 'yes' },
    },
    google: {
      name: 'Fake Model',
      contextSize: 1_048_576,
      maxOutputTokens: 65_536,
      capabilities: {
        text_input: 'yes',
        text_output: 'yes',
        streaming: 'yes',
        embeddings: 'no',
        batch: 'no',
        prompt_caching: 'yes',
        extended_thinking: 'yes',
      },
    },
    openrouter: {
      name: 'Fake: Model',
      contextSize: 200_000,
      maxOutputTokens: 64_000,
      pricing: { input: '3', output: '15', cachedInput: '0.3', cacheWrite: null },
    },
    groq: { contextSize: 131_072, maxOutputTokens: 32_768, ownedBy: 'Meta' },
    vllm: { contextSize: 32_768, ownedBy: 'vllm' },
    'llama.cpp': {
      // As it was loaded, not as it was trained.
      contextSize: 8192,
      capabilities: { image_input: 'yes', audio_input: 'no', function_calling: 'yes' },
    },
    ollama: {
      contextSize: 131_072,
      capabilities: {
        text_input: 'yes',
        text_output: 'yes',
        streaming: 'yes',
        function_calling: 'yes',
        image_input: 'yes',
        extended_thinking: 'yes',
      },
    },
    'lm-studio': {
      contextSize: 4096,
      capabilities: {
        text_input: 'yes',
        image_input: 'yes',
        text_output: 'yes',
        streaming: 'yes',
        function_calling: 'yes',
      },
    },
  };

  test.each(WIRES)('%s', async (wire) => {
    const [model] = await listed(wire);
    expect(model).toMatchObject({ remoteId: KNOWN_MODEL, ...SAID[wire] });
  });

  test('lists in pages are read to their end, and hold what can be asked', async () => {
    expect((await listed('anthropic')).map(({ remoteId }) => remoteId)).toEqual([KNOWN_MODEL, 'older-model']);
    expect((await listed('google')).map(({ remoteId }) => remoteId)).toEqual([KNOWN_MODEL, 'fake-embedding']);
  });

  test('only the detectors that the settings name are asked', async () => {
    const { server, provider } = await wired('ollama', {}, {}, ['lm-studio']);
    expect(await provider.listModels(never)).toMatchObject([
      { remoteId: KNOWN_MODEL, contextSize: null, capabilities: {} },
    ]);
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/models', '/api/v0/models']);
  });

  test.each(WIRES)('%s: a list that is none is an error, and so is a refusal', async (wire) => {
    const { server, provider } = await wired(wire);
    server.misbehaviour = { kind: 'garbage', afterEvents: 0 };
    await expect(provider.listModels(never)).rejects.toMatchObject({ code: 'provider_error' });
    server.misbehaviour = { kind: 'status', status: 401 };
    await expect(provider.listModels(never)).rejects.toMatchObject({ code: 'provider_auth' });
  });
});

describe('health', () => {
  test.each(WIRES)('%s: well, refusing our key, asked too much, or away', async (wire) => {
    const { server, provider, clock } = await wired(wire);
    expect(await provider.health(never)).toEqual({
      status: 'ok',
      checkedAtMs: clock.nowMs(),
      latencyMs: 0,
      message: null,
    });
    server.misbehaviour = { kind: 'status', status: 429 };
    expect(await provider.health(never)).toMatchObject({ status: 'limited', latencyMs: 0 });
    server.misbehaviour = { kind: 'status', status: 401 };
    expect(await provider.health(never)).toMatchObject({ status: 'auth' });
    server.misbehaviour = { kind: 'status', status: 503 };
    expect(await provider.health(never)).toMatchObject({ status: 'down', latencyMs: null });
    await server[Symbol.asyncDispose]();
    const away = await provider.health(never);
    expect(away.status).toBe('down');
    expect(away.message).toContain(new URL(server.url).origin);
    expect(clock.pendingTimers).toBe(0);
  });

  test('nobody waits longer than ten seconds to hear that nobody answers', async () => {
    const { server, provider, clock } = await wired('vllm');
    server.misbehaviour = { kind: 'half-open', afterEvents: 0 };
    const health = provider.health(never);
    await server.begun;
    expect(TIMEOUT_MS).toBeGreaterThan(10_000);
    clock.advance(10_000);
    expect(await health).toMatchObject({ status: 'down', message: expect.stringContaining('10 s') });
    await server.abandoned;
    expect(clock.pendingTimers).toBe(0);
  });

  test('a key that is not there is found before anybody is asked', async () => {
    const { server, provider } = await wired('vllm', {
      kind: 'openai',
      baseUrl: null,
      apiKey: null,
      apiKeyFrom: 'MY_KEY',
    });
    expect(await provider.health(never)).toMatchObject({
      status: 'auth',
      message: expect.stringContaining('MY_KEY'),
    });
    expect(server.requests).toEqual([]);
  });
});

describe('discovery', () => {
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
    get: (provider: string, id: string) =>
      provider === 'openai' && id === KNOWN_MODEL ? CATALOG_MODEL : null,
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
});
