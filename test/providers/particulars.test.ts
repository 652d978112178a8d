import { expect, test } from 'vitest';
import { type ChatMessage, NO_SAMPLING } from '../../src/shared/generation.ts';
import { KNOWN_MODEL } from '../fakes/wire/brain.ts';
import { ask, chat, errorIn, textOfParts, type Wire, wired } from './harness.ts';
import { bodyAt, finishOf, PERSON, PNG, PNG_BYTES, WEATHER } from './questions.ts';

/* What only some providers have, or have otherwise. */

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
