import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/main/clock.ts';
import { createProvider } from '../../src/main/providers/create-provider.ts';
import type { Provider } from '../../src/main/providers/provider.ts';
import { NO_SAMPLING, type StreamPart } from '../../src/shared/generation.ts';
import { collect } from '../fakes/collect.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { type ServedApp, serveApp } from '../harness/served-app.ts';
import { chat, errorIn, portsOf, settingsOf, textOfParts } from './harness.ts';

/*
 * One Roundhouse as the provider of another: the built app in a process of its own with a real engine and the demo model,
 * and before it a provider as the other one would have it.
 */

const never = new AbortController().signal;
const GREEDY = { sampling: { ...NO_SAMPLING, temperature: 0 } } as const;

let app: ServedApp;
beforeAll(async () => {
  app = await serveApp(null);
});
afterAll(() => app[Symbol.asyncDispose]());

function provider(): Provider {
  const settings = settingsOf({ name: 'studio', baseUrl: `${app.url}/v1`, timeoutMs: 60_000 });
  const made = createProvider(settings, { ...portsOf(new ManualClock()), clock: systemClock });
  onTestFinished(() => made[Symbol.dispose]());
  return made;
}

function ask(studio: Provider, model: string, said: string, more = {}): Promise<StreamPart[]> {
  return collect(studio.generate(model, chat(said, { ...GREEDY, ...more }), never).parts);
}

test('it answers as the other one does, with what it used', async () => {
  const question = 'What is Roundhouse?';
  const response = await fetch(`${app.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', temperature: 0, messages: [{ role: 'user', content: question }] }),
  });
  const direct = (await response.json()) as {
    choices: { message: { content: string } }[];
    usage: { prompt_tokens: number; completion_tokens: number };
  };
  const parts = await ask(provider(), 'demo', question);
  expect(textOfParts(parts)).toBe(direct.choices[0]?.message.content);
  expect(textOfParts(parts)).not.toBe('');
  expect(parts.at(-2)).toEqual({ type: 'finish', reason: 'stop' });
  expect(parts.at(-1)).toMatchObject({
    type: 'usage',
    promptTokens: direct.usage.prompt_tokens,
    completionTokens: direct.usage.completion_tokens,
  });
});

test('it takes the other one’s names: tiers, auto', async () => {
  expect(textOfParts(await ask(provider(), 'auto', 'Hello', { maxTokens: 3 }))).not.toBe('');
});

test('its errors come through: an unknown model, a prompt that is too long', async () => {
  const studio = provider();
  expect(errorIn(await ask(studio, 'no-such-model', 'Hi')).code).toBe('model_not_found');
  expect(errorIn(await ask(studio, 'demo', 'long '.repeat(20_000))).code).toBe('context_length_exceeded');
});

test('whoever goes away frees the slot of the other one', async () => {
  const studio = provider();
  for (let round = 0; round < 3; round++) {
    for await (const part of studio.generate('demo', chat('Tell me a story', GREEDY), never).parts) {
      expect(part.type).toBe('text-delta');
      break;
    }
  }
  expect(textOfParts(await ask(studio, 'demo', 'Hello', { maxTokens: 3 }))).not.toBe('');
});

test('its models are listed with what it says of them, and it is well', async () => {
  const studio = provider();
  const models = await studio.listModels(never);
  expect(models).toMatchObject([{ remoteId: 'demo', ownedBy: 'roundhouse' }]);
  expect(models[0]?.contextSize).toBeGreaterThan(0);
  expect(await studio.health(never)).toMatchObject({ status: 'ok', message: null });
});
