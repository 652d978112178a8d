import { describe, expect, test } from 'vitest';
import {
  type ChatMessage,
  type JsonObject,
  NO_SAMPLING,
  type StreamPart,
  type Tool,
} from '../../src/shared/generation.ts';
import { KNOWN_MODEL, USED } from '../fakes/wire/brain.ts';
import { ask, chat, errorIn, type Fixture, textOfParts, WIRES, type Wire, wired } from './harness.ts';

/*
 * What every provider must carry there and back, over real HTTP against a fake of its protocol. The fakes answer with what
 * they were sent, in the vendor's form.
 */

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PNG_BYTES = Buffer.from(PNG, 'base64').length;

const WEATHER: Tool = {
  name: 'get_weather',
  description: 'What the sky does',
  parameters: {
    type: 'object',
    properties: {
      city: { type: 'string', enum: ['Zürich', 'Paris'] },
      days: { type: 'integer', minimum: 2 },
    },
    required: ['city', 'days'],
  },
  strict: null,
};
const WEATHER_CALL = { city: 'Zürich', days: 2 };
const PERSON: JsonObject = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 18 } },
  required: ['name', 'age'],
  additionalProperties: false,
};

/** Tool calls with their arguments joined, by index. */
function callsOf(parts: readonly StreamPart[]): { id: string; name: string; arguments: unknown }[] {
  const calls: { id: string; name: string; text: string }[] = [];
  for (const part of parts) {
    if (part.type === 'tool-call-start') {
      expect(part.index).toBe(calls.length);
      calls.push({ id: part.id, name: part.name, text: '' });
    }
    const call = part.type === 'tool-call-delta' ? calls[part.index] : undefined;
    if (part.type === 'tool-call-delta' && call) call.text += part.argumentsText;
  }
  return calls.map(({ id, name, text }) => ({ id, name, arguments: JSON.parse(text) }));
}

function finishOf(parts: readonly StreamPart[]): string | undefined {
  return parts.flatMap((part) => (part.type === 'finish' ? [part.reason] : []))[0];
}

/** What arrived at the server last. */
function bodyAt({ server }: Fixture): Record<string, unknown> {
  return server.requests.at(-1)?.body as Record<string, unknown>;
}

describe.each(WIRES)('%s', (wire) => {
  test('streams a text in pieces, then says how it ended and what it used', async () => {
    const parts = await ask(
      await wired(wire),
      chat([
        { role: 'system', content: 'Be kind' },
        { role: 'user', content: 'Hé!' },
      ]),
    );
    expect(textOfParts(parts)).toBe('(Be kind) You said “Hé!” 🚂');
    expect(parts.filter(({ type }) => type === 'text-delta').length).toBeGreaterThan(2);
    expect(parts.at(-2)).toEqual({ type: 'finish', reason: 'stop' });
    expect(parts.at(-1)).toEqual({
      type: 'usage',
      promptTokens: USED.prompt,
      cachedTokens: USED.cached,
      // Only Anthropic counts what it writes to its cache.
      cacheWriteTokens: wire === 'anthropic' ? USED.written : 0,
      completionTokens: USED.completion,
      reasoningTokens: USED.thinking,
      prefillMs: 0,
      decodeMs: 0,
    });
  });

  test('stops at the tokens that are allowed', async () => {
    const parts = await ask(await wired(wire), chat('count as far as you can', { maxTokens: 2 }));
    expect(textOfParts(parts)).toBe('You said “co');
    expect(finishOf(parts)).toBe('length');
  });

  test('shows what the model thinks, when it is asked to think', async () => {
    const parts = await ask(await wired(wire), chat('Why?', { reasoningEffort: 'low' }));
    // OpenAI keeps it to itself.
    const thoughts = wire === 'openai' ? '' : 'Let me think…';
    expect(parts.flatMap((part) => (part.type === 'reasoning-delta' ? [part.text] : [])).join('')).toBe(
      thoughts,
    );
    expect(textOfParts(parts)).toBe('You said “Why?” 🚂');
  });

  test('calls a tool, several at once, and reads what they gave', async () => {
    const fixture = await wired(wire);
    const tools = { tools: [WEATHER], choice: 'auto', parallel: true } as const;
    const question: ChatMessage = { role: 'user', content: 'The weather of both towns?' };
    const parts = await ask(fixture, chat([question], { tools }));
    const calls = callsOf(parts);
    expect(calls.map(({ name, arguments: args }) => [name, args])).toEqual([
      ['get_weather', WEATHER_CALL],
      ['get_weather', WEATHER_CALL],
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    expect(finishOf(parts)).toBe('tool-calls');

    const toolCalls = calls.map(({ id, name, arguments: args }) => ({
      id,
      name,
      arguments: JSON.stringify(args),
    }));
    const results = calls.map(
      ({ id }, index): ChatMessage => ({ role: 'tool', toolCallId: id, content: `sun ${index}` }),
    );
    const conversation: ChatMessage[] = [question, { role: 'assistant', content: '', toolCalls }, ...results];
    const answer = await ask(fixture, chat(conversation, { tools, reasoningEffort: 'low' }));
    expect(textOfParts(answer)).toBe('The tools said get_weather: sun 0 and get_weather: sun 1.');
  });

  test('calls the tool that is demanded, any tool, or none', async () => {
    const fixture = await wired(wire);
    const other: Tool = { name: 'other', description: null, parameters: null, strict: null };
    const use = (choice: 'required' | 'none' | { name: string }) =>
      ask(fixture, chat('Hello', { tools: { tools: [other, WEATHER], choice, parallel: null } }));
    expect(callsOf(await use({ name: 'get_weather' }))).toMatchObject([
      { name: 'get_weather', arguments: WEATHER_CALL },
    ]);
    expect(callsOf(await use('required'))).toMatchObject([{ name: 'other', arguments: {} }]);
    expect(textOfParts(await use('none'))).toBe('You said “Hello” 🚂');
  });

  test('sends pictures and files', async () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image', url: `data:image/png;base64,${PNG}`, detail: null },
      {
        type: 'file',
        base64: Buffer.from('%PDF-1.4').toString('base64'),
        mediaType: 'application/pdf',
        name: 'a.pdf',
      },
    ] as const;
    const parts = await ask(await wired(wire), chat([{ role: 'user', content }]));
    const name = wire === 'anthropic' || wire === 'google' ? '' : 'a.pdf ';
    expect(textOfParts(parts)).toBe(`I see image/png ${PNG_BYTES} and ${name}application/pdf 8.`);
  });

  test('sends the address of a picture, where the provider fetches it', async () => {
    const content = [{ type: 'image', url: 'https://example.org/a.png', detail: null }] as const;
    const parts = await ask(await wired(wire), chat([{ role: 'user', content }]));
    if (wire === 'google') {
      expect(errorIn(parts)).toMatchObject({ code: 'unsupported_content', param: 'messages[0].content[0]' });
    } else {
      expect(textOfParts(parts)).toBe('I see https://example.org/a.png.');
    }
  });

  test('answers in the form of a schema', async () => {
    const responseFormat = {
      type: 'json_schema',
      name: 'person',
      description: null,
      schema: PERSON,
      strict: null,
    } as const;
    const parts = await ask(await wired(wire), chat('Somebody', { responseFormat }));
    expect(JSON.parse(textOfParts(parts))).toEqual({ name: 'text', age: 18 });
    expect(finishOf(parts)).toBe('stop');
  });

  test('answers in JSON of any form', async () => {
    const parts = await ask(
      await wired(wire),
      chat('Something', { responseFormat: { type: 'json_object' } }),
    );
    expect(JSON.parse(textOfParts(parts))).toBeTypeOf('object');
    expect(finishOf(parts)).toBe('stop');
  });

  test('says when the vendor held an answer back', async () => {
    expect(finishOf(await ask(await wired(wire), chat('something forbidden')))).toBe('content-filter');
  });

  test('names what is wrong: the model, the length, the key', async () => {
    const fixture = await wired(wire);
    expect(errorIn(await ask(fixture, chat('Hi'), 'no-such-model')).code).toBe('model_not_found');
    expect(errorIn(await ask(fixture, chat('long '.repeat(2000)))).code).toBe('context_length_exceeded');
    const wrong = errorIn(
      await ask(await wired(wire, { apiKey: 'sk-wrong-key', apiKeyFrom: 'CLOUD_KEY' }), chat('Hi')),
    );
    expect(wrong.code).toBe('provider_auth');
    expect(wrong.message).toContain('CLOUD_KEY');
    expect(wrong.message).not.toContain('sk-wrong');
  });
});

describe('what only some providers have', () => {
  const embedders: readonly Wire[] = ['openai', 'google', 'vllm', 'ollama'];
  test.each(embedders)('%s has embeddings, in order', async (wire) => {
    const { provider } = await wired(wire);
    const inputs = ['a', 'bbb', 'cc'];
    const { vectors, promptTokens } = await provider.embed(
      KNOWN_MODEL,
      inputs,
      { dimensions: null },
      new AbortController().signal,
    );
    expect(vectors).toEqual([
      [1, 0, 0.5],
      [3, 1, 0.5],
      [2, 2, 0.5],
    ]);
    expect(promptTokens).toBe(wire === 'google' ? null : 5);
  });

  test.each(embedders)('%s is told how long they are to be', async (wire) => {
    const fixture = await wired(wire);
    const asked = fixture.provider.embed(
      KNOWN_MODEL,
      ['a', 'b'],
      { dimensions: 256 },
      new AbortController().signal,
    );
    expect((await asked).vectors).toHaveLength(2);
    const name = wire === 'google' ? '"outputDimensionality":256' : '"dimensions":256';
    expect(JSON.stringify(bodyAt(fixture))).toContain(name);
  });

  test.each(['anthropic', 'groq'] as const)('%s has none, and says so', async (wire) => {
    const { provider } = await wired(wire);
    const asked = provider.embed(KNOWN_MODEL, ['a'], { dimensions: null }, new AbortController().signal);
    await expect(asked).rejects.toMatchObject({ code: 'capability_missing' });
  });

  test('sound, and files of kinds that can be sent; others are refused by name', async () => {
    const openai = await wired('openai');
    const wav = [{ type: 'audio', base64: 'AAAA', format: 'wav' }] as const;
    expect(textOfParts(await ask(openai, chat([{ role: 'user', content: wav }])))).toBe('I see audio/wav 3.');
    const zip = [{ type: 'file', base64: 'AAAA', mediaType: 'application/zip', name: 'a.zip' }] as const;
    for (const wire of ['openai', 'anthropic', 'vllm'] as const) {
      const error = errorIn(await ask(await wired(wire), chat([{ role: 'user', content: zip }])));
      expect(error.code).toBe('unsupported_content');
      expect(error.message).toContain('application/zip');
    }
  });

  test('how closely a picture is looked at', async () => {
    for (const wire of ['openai', 'vllm'] as const) {
      const content = [{ type: 'image', url: `data:image/png;base64,${PNG}`, detail: 'low' }] as const;
      const parts = await ask(await wired(wire), chat([{ role: 'user', content }]));
      expect(textOfParts(parts)).toBe(`I see image/png ${PNG_BYTES} (low).`);
    }
  });

  test('sampling beyond the OpenAI API, for those that do not refuse it', async () => {
    const sampling = {
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      minP: 0.1,
      repeatPenalty: 1.1,
      frequencyPenalty: 0.2,
      presencePenalty: 0.3,
      logitBias: { '42': -100 },
      seed: 7,
    };
    const request = chat('Hi', { sampling, stop: ['END'], user: 'somebody' });
    const compatible = await wired('vllm');
    await ask(compatible, request);
    const standard = {
      temperature: 0.5,
      top_p: 0.9,
      frequency_penalty: 0.2,
      presence_penalty: 0.3,
      logit_bias: { '42': -100 },
      seed: 7,
      stop: ['END'],
      user: 'somebody',
    };
    expect(bodyAt(compatible)).toMatchObject({ ...standard, top_k: 40, min_p: 0.1, repetition_penalty: 1.1 });
    for (const wire of ['openai', 'groq'] as const) {
      const strict = await wired(wire);
      expect(finishOf(await ask(strict, request))).toBe('stop');
      expect(bodyAt(strict)).toMatchObject(standard);
    }
    const anthropic = await wired('anthropic');
    await ask(anthropic, request);
    expect(bodyAt(anthropic)).toMatchObject({
      temperature: 0.5,
      top_k: 40,
      stop_sequences: ['END'],
      metadata: { user_id: 'somebody' },
    });
  });

  test('whether arguments and answers must follow a schema to the letter is the caller’s to say', async () => {
    for (const wire of ['openai', 'vllm'] as const) {
      const fixture = await wired(wire);
      for (const strict of [true, false, null]) {
        const responseFormat = {
          type: 'json_schema',
          name: 'person',
          description: null,
          schema: PERSON,
          strict,
        } as const;
        const tools = { tools: [{ ...WEATHER, strict }], choice: 'none', parallel: false } as const;
        await ask(fixture, chat('Hi', { responseFormat, tools }));
        const body = bodyAt(fixture);
        expect(body.response_format).toMatchObject({
          json_schema: { name: 'person', strict: strict === true },
        });
        expect(body.tools).toMatchObject([
          { function: strict === null ? { name: 'get_weather' } : { strict } },
        ]);
        expect(body.parallel_tool_calls).toBe(false);
      }
    }
  });

  test('system messages further down go to the top, where they must', async () => {
    const messages: ChatMessage[] = [
      { role: 'system', content: 'One' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Ho' },
      { role: 'system', content: 'Two' },
      { role: 'user', content: 'Well?' },
    ];
    for (const wire of ['anthropic', 'google'] as const) {
      expect(textOfParts(await ask(await wired(wire), chat(messages)))).toBe(
        '(One\n\nTwo) You said “Well?” 🚂',
      );
    }
  });

  test('no more tokens are asked for than the model is known to write', async () => {
    const fixture = await wired(
      'vllm',
      {},
      { maxOutputTokens: (_, model) => (model === KNOWN_MODEL ? 100 : null) },
    );
    await ask(fixture, chat('Hi', { maxTokens: 1_000_000 }));
    expect(bodyAt(fixture).max_tokens).toBe(100);
    const unknown = await wired('vllm');
    await ask(unknown, chat('Hi', { maxTokens: Number.MAX_SAFE_INTEGER }));
    expect(bodyAt(unknown)).not.toHaveProperty('max_tokens');
  });

  test('OpenAI’s models that think are asked as they want to be', async () => {
    const fixture = await wired('openai');
    const sampling = { ...NO_SAMPLING, temperature: 0.3, topP: 0.5, presencePenalty: 1 };
    const request = chat('Hello there', { sampling, maxTokens: 2, reasoningEffort: 'low' });
    expect(finishOf(await ask(fixture, request, 'gpt-5-mini'))).toBe('length');
    expect(bodyAt(fixture)).toMatchObject({ max_completion_tokens: 2, reasoning_effort: 'low' });
  });

  test('Anthropic’s models get the schema itself, where they take one', async () => {
    const fixture = await wired('anthropic');
    const responseFormat = {
      type: 'json_schema',
      name: 'person',
      description: null,
      schema: PERSON,
      strict: null,
    } as const;
    const parts = await ask(fixture, chat('Somebody', { responseFormat }), 'claude-sonnet-4-5');
    expect(JSON.parse(textOfParts(parts))).toMatchObject({ name: 'text' });
    expect(bodyAt(fixture)).toMatchObject({ output_config: { format: { type: 'json_schema' } } });
    expect(bodyAt(fixture)).not.toHaveProperty('tools');
  });

  test('a conversation with tools goes on with a Google model that wants its signatures', async () => {
    const conversation: ChatMessage[] = [
      { role: 'user', content: 'The weather?' },
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: 'c', name: 'get_weather', arguments: '{"city":"Paris"}' }],
      },
      { role: 'tool', toolCallId: 'c', content: 'sun' },
    ];
    const parts = await ask(await wired('google'), chat(conversation), 'gemini-3-pro-preview');
    expect(textOfParts(parts)).toBe('The tools said get_weather: sun.');
  });

  test('arguments that are no JSON go back under a name that says so', async () => {
    const conversation: ChatMessage[] = [
      { role: 'user', content: 'The weather?' },
      {
        role: 'assistant',
        content: 'Well',
        toolCalls: [{ id: 'c', name: 'get_weather', arguments: '{"city":' }],
      },
      { role: 'tool', toolCallId: 'c', content: 'bad arguments' },
    ];
    for (const wire of ['openai', 'vllm', 'anthropic', 'google'] as const) {
      const fixture = await wired(wire);
      expect(textOfParts(await ask(fixture, chat(conversation)))).toBe(
        'The tools said get_weather: bad arguments.',
      );
      expect(JSON.stringify(bodyAt(fixture)).replaceAll('\\', '')).toContain('{"invalid_json":"{"city":"}');
    }
  });

  test('arguments go back as the model wrote them, where they are text', async () => {
    const written = '{"city" : "Paris"}';
    const conversation: ChatMessage[] = [
      { role: 'user', content: 'The weather?' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'get_weather', arguments: written }] },
      { role: 'tool', toolCallId: 'c', content: 'sun' },
    ];
    for (const wire of ['openai', 'vllm'] as const) {
      const fixture = await wired(wire);
      await ask(fixture, chat(conversation));
      expect(bodyAt(fixture).messages).toMatchObject([
        {},
        { tool_calls: [{ function: { arguments: written } }] },
        {},
      ]);
    }
  });

  test('a raw prompt is refused before anybody is asked', async () => {
    const fixture = await wired('vllm');
    const request = { ...chat(''), prompt: { kind: 'text', text: 'Once upon' } } as const;
    expect(errorIn(await ask(fixture, request)).code).toBe('capability_missing');
    expect(fixture.server.requests).toEqual([]);
  });
});
