import Anthropic from '@anthropic-ai/sdk';
import { FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { collect } from '../fakes/collect.ts';
import { serveAnthropic } from '../fakes/wire/anthropic-wire.ts';
import { KNOWN_MODEL, USED } from '../fakes/wire/brain.ts';
import { serveGoogle } from '../fakes/wire/google-wire.ts';
import { serveOpenAi } from '../fakes/wire/openai-wire.ts';
import type { WireServer } from '../fakes/wire/wire-server.ts';

/*
 * The fakes held against the vendors' own SDKs: what a provider of ours understands of a fake says little if the vendor's
 * own program would not.
 */

const KEY = 'key';
const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;

async function served(server: Promise<WireServer>): Promise<string> {
  const made = await server;
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made.url;
}

test('OpenAI', async () => {
  const url = await served(serveOpenAi('openai', KEY));
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: 'Hi' }];
  const whole = await client.chat.completions.create({ model: KNOWN_MODEL, messages });
  expect(whole.choices[0]?.message.content).toBe('You said “Hi” 🚂');
  const stream = client.chat.completions.stream({
    model: KNOWN_MODEL,
    messages,
    stream_options: { include_usage: true },
  });
  const final = await stream.finalChatCompletion();
  expect(final.choices[0]?.message.content).toBe('You said “Hi” 🚂');
  expect(final.usage?.total_tokens).toBe(USED.prompt + USED.completion);
  const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: PARAMETERS } }];
  const called = await client.chat.completions
    .stream({ model: KNOWN_MODEL, messages, tools, tool_choice: 'required' })
    .finalChatCompletion();
  expect(called.choices[0]?.message.tool_calls).toMatchObject([
    { function: { name: 'weather', arguments: '{"city":"text"}' } },
  ]);
  expect((await collect(await client.models.list())).map(({ id }) => id)).toEqual([KNOWN_MODEL]);
  const { data } = await client.embeddings.create({ model: KNOWN_MODEL, input: ['a', 'bb'] });
  expect(data.map(({ embedding }) => embedding[0])).toEqual([1, 2]);
  const wrong = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'wrong', maxRetries: 0 });
  await expect(wrong.models.list()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' });
});

test('Anthropic', async () => {
  const client = new Anthropic({ baseURL: await served(serveAnthropic(KEY)), apiKey: KEY, maxRetries: 0 });
  const asked = { model: KNOWN_MODEL, max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] };
  expect((await client.messages.create(asked)).content).toMatchObject([
    { type: 'text', text: 'You said “Hi” 🚂' },
  ]);
  const streamed = await client.messages
    .stream({ ...asked, thinking: { type: 'enabled', budget_tokens: 1024 } })
    .finalMessage();
  expect(streamed.content).toMatchObject([
    { type: 'thinking', thinking: 'Let me think…' },
    { type: 'text', text: 'You said “Hi” 🚂' },
  ]);
  expect(streamed.stop_reason).toBe('end_turn');
  expect(streamed.usage).toMatchObject({
    input_tokens: 8,
    cache_read_input_tokens: 8,
    cache_creation_input_tokens: 4,
  });
  const tools = [{ name: 'weather', input_schema: PARAMETERS as unknown as Anthropic.Tool.InputSchema }];
  const called = await client.messages
    .stream({ ...asked, tools, tool_choice: { type: 'any' } })
    .finalMessage();
  expect(called.content).toMatchObject([{ type: 'tool_use', name: 'weather', input: { city: 'text' } }]);
  expect((await collect(client.models.list())).map(({ id }) => id)).toEqual([KNOWN_MODEL, 'older-model']);
  await expect(client.messages.create({ ...asked, model: 'none' })).rejects.toMatchObject({ status: 404 });
});

test('Google', async () => {
  const baseUrl = await served(serveGoogle(KEY));
  const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl } });
  const whole = await client.models.generateContent({ model: KNOWN_MODEL, contents: 'Hi' });
  expect(whole.text).toBe('You said “Hi” 🚂');
  const chunks = await collect(
    await client.models.generateContentStream({ model: KNOWN_MODEL, contents: 'Hi' }),
  );
  expect(chunks.map(({ text }) => text ?? '').join('')).toBe('You said “Hi” 🚂');
  expect(chunks.at(-1)?.usageMetadata?.thoughtsTokenCount).toBe(USED.thinking);
  const called = await client.models.generateContent({
    model: KNOWN_MODEL,
    contents: 'Hi',
    config: {
      tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: PARAMETERS }] }],
      toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
    },
  });
  expect(called.functionCalls).toMatchObject([{ name: 'weather', args: { city: 'text' } }]);
  const names = (await collect(await client.models.list())).map(({ name }) => name);
  expect(names).toEqual([`models/${KNOWN_MODEL}`, 'models/fake-embedding', 'models/fake-painter']);
  await expect(client.models.generateContent({ model: 'none', contents: 'Hi' })).rejects.toMatchObject({
    status: 404,
  });
});
