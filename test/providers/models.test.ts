import { describe, expect, test } from 'vitest';
import type { RemoteModel } from '../../src/main/providers/provider.ts';
import { KNOWN_MODEL } from '../fakes/wire/brain.ts';
import { TIMEOUT_MS, WIRES, type Wire, wired } from './harness.ts';

const never = new AbortController().signal;

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
