import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createProvider } from '../../src/main/providers/create-provider.ts';
import { RoundhouseError } from '../../src/shared/errors.ts';
import { PROVIDER_KINDS, type ProviderKind } from '../../src/shared/provider-kinds.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { KNOWN_MODEL } from '../fakes/wire/brain.ts';
import type { Misbehaviour } from '../fakes/wire/wire-server.ts';
import {
  ask,
  chat,
  errorIn,
  type Fixture,
  KEY,
  portsOf,
  settingsOf,
  textOfParts,
  WIRES,
  wired,
} from './harness.ts';

const never = new AbortController().signal;

/** Everything that a provider can fail with. */
async function failures(fixture: Fixture): Promise<unknown[]> {
  const caught = (work: Promise<unknown>) => work.catch((error: unknown) => error);
  return [
    errorIn(await ask(fixture, chat('A few words to be streamed'))),
    await caught(fixture.provider.listModels(never)),
    await caught(fixture.provider.embed(KNOWN_MODEL, ['a'], { dimensions: null }, never)),
    await fixture.provider.health(never),
  ];
}

describe.each(WIRES)('a canary key is in nothing that %s can be made to say:', (wire) => {
  const echo = `the request had authorization: Bearer ${KEY}, x-api-key: ${KEY} and x-goog-api-key: ${KEY}`;
  test.each<readonly [string, Misbehaviour]>([
    ['refused', { kind: 'status', status: 401 }],
    [
      'a refusal that repeats it',
      { kind: 'status', status: 400, body: JSON.stringify({ error: { message: echo, param: KEY } }) },
    ],
    [
      'forbidden, repeating it',
      { kind: 'status', status: 403, body: JSON.stringify({ error: { message: echo, code: KEY } }) },
    ],
    ['a page that repeats it', { kind: 'status', status: 500, body: `<html>${echo}</html>` }],
    ['cut', { kind: 'cut', afterEvents: 4 }],
    ['garbage', { kind: 'garbage', afterEvents: 0 }],
    ['garbage in the middle', { kind: 'garbage', afterEvents: 4 }],
    ['an error in the middle', { kind: 'error-event', afterEvents: 4 }],
    ['a redirect', { kind: 'redirect', location: `http://elsewhere.example/?key=${KEY}` }],
  ])('%s', async (_, misbehaviour) => {
    const fixture = await wired(wire);
    fixture.server.misbehaviour = misbehaviour;
    for (const failure of await failures(fixture)) {
      const shown = inspect(failure, { depth: Number.POSITIVE_INFINITY, showHidden: true });
      expect(shown).not.toContain(KEY);
      // Nor is the request, which an SDK's own errors hold.
      expect(shown).not.toContain('A few words');
    }
    // It did go to the provider.
    expect(JSON.stringify(fixture.server.requests[0]?.headers)).toContain(KEY);
  });
});

test('nor is it in a provider itself, as far as a log would look', async () => {
  const { provider } = await wired('openai');
  await ask({ provider }, chat('Hi'));
  expect(JSON.stringify(provider)).not.toContain(KEY);
  expect(inspect(provider, { depth: 10, showHidden: true })).not.toContain(KEY);
});

describe('a key that is missing', () => {
  const NEEDS_KEY: readonly ProviderKind[] = ['openai', 'anthropic', 'google', 'openrouter', 'groq'];
  test.each(NEEDS_KEY)('%s: says what to set, and asks nobody', async (kind) => {
    const asked: string[] = [];
    const clock = new ManualClock();
    const fetch = async (input: string | URL | Request) => {
      asked.push(String(input));
      return new Response();
    };
    const provider = createProvider(settingsOf({ name: 'cloud', kind, apiKeyFrom: 'SOME_KEY' }), {
      ...portsOf(clock),
      fetch,
    });
    const error = errorIn(await ask({ provider }, chat('Hi')));
    expect(error.code).toBe('provider_auth');
    expect(error.message).toBe(
      'cloud has no key: set SOME_KEY, or give it one as providers.cloud.apiKey in models.yaml.',
    );
    await expect(provider.listModels(never)).rejects.toBeInstanceOf(RoundhouseError);
    expect(asked).toEqual([]);
  });

  test('is not needed by a server of one’s own, whatever API it speaks', async () => {
    for (const wire of ['openai', 'vllm', 'anthropic', 'google'] as const) {
      const fixture = await wired(wire, { apiKey: null });
      await ask(fixture, chat('Hi'));
      const { authorization, ...headers } = fixture.server.requests[0]?.headers ?? {};
      if (wire === 'vllm') expect(authorization).toBeUndefined();
      expect(JSON.stringify({ authorization, ...headers })).not.toContain(KEY);
    }
  });
});

describe('what is in the environment', () => {
  const VARIABLES = [
    'OPENAI_API_KEY',
    'OPENAI_BASE_URL',
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'ANTHROPIC_BASE_URL',
    'GOOGLE_GENERATIVE_AI_API_KEY',
    'GROQ_API_KEY',
    'OPENROUTER_API_KEY',
  ];

  test.each(WIRES)('%s: is not looked at, neither for keys nor for addresses', async (wire) => {
    const before = VARIABLES.map((name) => [name, process.env[name]] as const);
    onTestFinished(() => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    });
    for (const name of VARIABLES)
      process.env[name] = name.endsWith('URL') ? 'http://127.0.0.1:1/v1' : 'from-the-environment';
    const fixture = await wired(wire);
    expect(textOfParts(await ask(fixture, chat('Hi')))).toBe('You said “Hi” 🚂');
    const open = await wired(wire, { apiKey: null });
    await ask(open, chat('Hi'));
    for (const { headers } of [...fixture.server.requests, ...open.server.requests]) {
      expect(JSON.stringify(headers)).not.toContain('from-the-environment');
    }
  });
});

test('addresses that settings may not name are refused when asked, for every kind', async () => {
  const clock = new ManualClock();
  for (const kind of PROVIDER_KINDS) {
    if (kind === 'mock') continue;
    for (const baseUrl of ['http://169.254.169.254/v1', 'http://localhost:4141/v1', 'file:///etc/passwd']) {
      const ports = { ...portsOf(clock), own: () => ({ port: 4141, hosts: [] }) };
      const provider = createProvider(settingsOf({ kind, baseUrl, apiKey: KEY }), ports);
      expect(errorIn(await ask({ provider }, chat('Hi'))).code).toBe('config_invalid');
    }
  }
});
