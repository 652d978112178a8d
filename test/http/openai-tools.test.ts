import OpenAI from 'openai';
import type { ChatCompletionCreateParamsNonStreaming, ChatCompletionTool } from 'openai/resources';
import { expect, test } from 'vitest';
import type { StreamPart } from '../../src/shared/generation.ts';
import { answering, apiKey, type FakeGeneration } from '../fakes/fake-gateway-ports.ts';
import { collected, listening } from './harness.ts';

const model = 'demo';
const messages = [{ role: 'user' as const, content: 'What is the weather in Oslo and in Rome?' }];
const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const weather: ChatCompletionTool = {
  type: 'function',
  function: { name: 'weather', description: 'Tells it.', parameters: SCHEMA, strict: true },
};
const time: ChatCompletionTool = { type: 'function', function: { name: 'time' } };
const WEATHER = { name: 'weather', description: 'Tells it.', parameters: SCHEMA, strict: true };
const TIME = { name: 'time', description: null, parameters: null, strict: null };

const TWO_CALLS: StreamPart[] = [
  { type: 'tool-call-start', index: 0, id: 'call_oslo', name: 'weather' },
  { type: 'tool-call-delta', index: 0, argumentsText: '{"city":' },
  { type: 'tool-call-delta', index: 0, argumentsText: '"Oslo"}' },
  { type: 'tool-call-start', index: 1, id: 'call_rome', name: 'weather' },
  { type: 'tool-call-delta', index: 1, argumentsText: '{"city":"Rome"}' },
];
const WIRE_CALLS = [
  { id: 'call_oslo', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
  { id: 'call_rome', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
];

const calling = (generation: FakeGeneration): void => {
  generation.push(...TWO_CALLS).finish({}, 'tool-calls');
};

async function served(engine: (generation: FakeGeneration) => void = answering('ok')) {
  const { url, ports } = await listening();
  ports.engine = engine;
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
  return {
    url,
    ports,
    client,
    /** What the engine is asked when a client asks this. */
    async requestOf(body: Partial<ChatCompletionCreateParamsNonStreaming>) {
      await client.chat.completions.create({ model, messages, ...body });
      return (await ports.generation(ports.generations.length - 1)).request;
    },
  };
}

test('tool calls, whole', async () => {
  const { client } = await served(calling);
  const { choices } = await client.chat.completions.create({ model, messages, tools: [weather] });
  expect(choices).toEqual([
    {
      index: 0,
      message: { role: 'assistant', content: null, refusal: null, tool_calls: WIRE_CALLS },
      logprobs: null,
      finish_reason: 'tool_calls',
    },
  ]);
});

test('tool calls, streamed, as the client itself puts them together', async () => {
  const { client } = await served(calling);
  const stream = client.chat.completions.stream({ model, messages, tools: [weather] });
  const done: unknown[] = [];
  stream.on('tool_calls.function.arguments.done', ({ name, index, arguments: text }) =>
    done.push([name, index, text]),
  );
  const completion = await stream.finalChatCompletion();
  expect(completion.choices[0]?.finish_reason).toBe('tool_calls');
  expect(completion.choices[0]?.message.tool_calls).toMatchObject(WIRE_CALLS);
  expect(done).toEqual([
    ['weather', 0, '{"city":"Oslo"}'],
    ['weather', 1, '{"city":"Rome"}'],
  ]);
});

test('what a request requires is known where its model is chosen', async () => {
  const { client, ports, requestOf } = await served();
  const image = { type: 'image_url' as const, image_url: { url: 'https://example.com/cat.png' } };
  await requestOf({ messages: [{ role: 'user', content: [image] }], tools: [weather], n: 2 });
  await requestOf({ response_format: { type: 'json_object' } });
  await client.completions.create({ model, prompt: ['a', 'b'] });
  await client.models.retrieve('auto');
  expect(ports.required).toEqual([['image_input', 'function_calling'], ['json_mode'], [], []]);
});

test('text before a call stays text', async () => {
  const { client } = await served((generation) =>
    generation
      .text('Let me look.')
      .push(...TWO_CALLS)
      .finish({}, 'tool-calls'),
  );
  const { choices } = await client.chat.completions.create({ model, messages, tools: [weather] });
  expect(choices[0]?.message).toMatchObject({ content: 'Let me look.', tool_calls: WIRE_CALLS });
});

test('two choices that call tools are told apart', async () => {
  const { client, ports } = await served();
  ports.engine = null;
  const asked = client.chat.completions.create({ model, messages, tools: [weather], n: 2, stream: true });
  const [first, second] = [await ports.generation(0), await ports.generation(1)];
  calling(second);
  calling(first);
  const texts = ['', ''];
  for await (const chunk of await asked) {
    for (const { index, delta } of chunk.choices) {
      for (const call of delta.tool_calls ?? []) texts[index] += call.function?.arguments ?? '';
    }
  }
  expect(texts).toEqual(Array(2).fill('{"city":"Oslo"}{"city":"Rome"}'));
});

test.each<[body: Partial<ChatCompletionCreateParamsNonStreaming>, tools: object | null]>([
  [{ tools: [weather] }, { tools: [WEATHER], choice: 'auto', parallel: null }],
  [
    { tools: [weather, time], tool_choice: 'auto' },
    { tools: [WEATHER, TIME], choice: 'auto', parallel: null },
  ],
  [
    { tools: [time], tool_choice: 'none' },
    { tools: [TIME], choice: 'none', parallel: null },
  ],
  [
    { tools: [time], tool_choice: 'required', parallel_tool_calls: false },
    { tools: [TIME], choice: 'required', parallel: false },
  ],
  [
    { tools: [weather, time], tool_choice: { type: 'function', function: { name: 'time' } } },
    { tools: [WEATHER, TIME], choice: { name: 'time' }, parallel: null },
  ],
  [
    {
      tools: [weather, time],
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'time' } }] },
      },
    },
    { tools: [TIME], choice: 'required', parallel: null },
  ],
  [{ tools: [], tool_choice: 'none' }, null],
  [{ tools: [], tool_choice: 'auto', parallel_tool_calls: true }, null],
  [
    { functions: [{ name: 'time' }], function_call: { name: 'time' } },
    { tools: [TIME], choice: { name: 'time' }, parallel: false },
  ],
  [{ functions: [{ name: 'time' }] }, { tools: [TIME], choice: 'auto', parallel: false }],
])('%j reaches the model', async (body, tools) => {
  const { requestOf } = await served();
  expect((await requestOf(body)).tools).toEqual(tools);
});

test('a conversation with calls and their results reaches the model', async () => {
  const { requestOf } = await served();
  const { prompt } = await requestOf({
    messages: [
      ...messages,
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
          { id: 'b', type: 'function', function: { name: 'time', arguments: '' } },
        ],
      },
      { role: 'tool', content: 'Rain.', tool_call_id: 'a' },
      { role: 'tool', content: [{ type: 'text', text: 'Noon.' }], tool_call_id: 'b' },
    ],
  });
  expect(prompt).toEqual({
    kind: 'chat',
    messages: [
      ...messages,
      {
        role: 'assistant',
        content: '',
        toolCalls: [
          { id: 'a', name: 'weather', arguments: '{"city":"Oslo"}' },
          { id: 'b', name: 'time', arguments: '' },
        ],
      },
      { role: 'tool', content: 'Rain.', toolCallId: 'a' },
      { role: 'tool', content: 'Noon.', toolCallId: 'b' },
    ],
  });
});

test('functions, the older form: understood, and answered in kind', async () => {
  const { client, ports } = await served(calling);
  const body = {
    model,
    functions: [{ name: 'weather', parameters: SCHEMA }],
    messages: [
      ...messages,
      { role: 'assistant' as const, content: null, function_call: { name: 'weather', arguments: '{}' } },
      { role: 'function' as const, name: 'weather', content: 'Where?' },
    ],
  };
  const { choices } = await client.chat.completions.create(body);
  expect(choices[0]?.finish_reason).toBe('function_call');
  expect(choices[0]?.message).toEqual({
    role: 'assistant',
    content: null,
    refusal: null,
    function_call: { name: 'weather', arguments: '{"city":"Oslo"}' },
  });
  const [, assistant, tool] = promptMessages(await ports.generation());
  expect(assistant).toMatchObject({ toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{}' }] });
  expect(tool).toMatchObject({ role: 'tool', content: 'Where?', toolCallId: 'call_1' });

  const chunks = await collected(await client.chat.completions.create({ ...body, stream: true }));
  expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
    { role: 'assistant', content: '' },
    { function_call: { name: 'weather', arguments: '' } },
    { function_call: { arguments: '{"city":' } },
    { function_call: { arguments: '"Oslo"}' } },
    {},
  ]);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('function_call');
});

test('a format of the answer reaches the model, and what comes is passed on as it is', async () => {
  const { client, ports, requestOf } = await served(answering('{"city":', '"Oslo"}'));
  const json_schema = { name: 'place', description: 'A place.', schema: SCHEMA, strict: true };
  const completion = await client.chat.completions.parse({
    model,
    messages,
    response_format: { type: 'json_schema', json_schema },
  });
  expect(completion.choices[0]?.message.content).toBe('{"city":"Oslo"}');
  expect((await ports.generation()).request.responseFormat).toEqual({ type: 'json_schema', ...json_schema });
  expect((await requestOf({ response_format: { type: 'json_object' } })).responseFormat).toEqual({
    type: 'json_object',
  });
  const bare = { name: 'place', schema: {} };
  expect(
    (await requestOf({ response_format: { type: 'json_schema', json_schema: bare } })).responseFormat,
  ).toEqual({ type: 'json_schema', name: 'place', description: null, schema: {}, strict: null });
  expect((await requestOf({ response_format: { type: 'text' } })).responseFormat).toBeNull();
});

test('images, sound and files reach the model beside the text', async () => {
  const { requestOf } = await served();
  const png = 'data:image/PNG;base64,iVBORw0KGgo=';
  const { prompt } = await requestOf({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: png } },
          { type: 'image_url', image_url: { url: 'https://example.com/cat.jpg?a=b', detail: 'low' } },
          { type: 'image_url', image_url: { url: png, detail: 'original' } },
          { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0x' } },
          { type: 'file', file: { filename: 'B.PDF', file_data: 'JVBERi0x' } },
        ],
      },
    ],
  });
  expect(prompt).toEqual({
    kind: 'chat',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', url: png, detail: null },
          { type: 'image', url: 'https://example.com/cat.jpg?a=b', detail: 'low' },
          { type: 'image', url: png, detail: 'high' },
          { type: 'audio', base64: 'UklGRg==', format: 'wav' },
          { type: 'file', base64: 'JVBERi0x', mediaType: 'application/pdf', name: 'a.pdf' },
          { type: 'file', base64: 'JVBERi0x', mediaType: 'application/pdf', name: 'B.PDF' },
        ],
      },
    ],
  });
});

test('an image of ten megabytes is read', async () => {
  const { requestOf } = await served();
  const url = `data:image/png;base64,${Buffer.alloc(10_000_000, 7).toString('base64')}`;
  const { prompt } = await requestOf({
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
  });
  expect(prompt).toEqual({
    kind: 'chat',
    messages: [{ role: 'user', content: [{ type: 'image', url, detail: null }] }],
  });
});

test.each([
  ['none', 'none'],
  ['minimal', 'minimal'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'high'],
  ['max', 'high'],
  [null, null],
] as const)('an effort of %s reaches the model as %s', async (asked, effort) => {
  const { requestOf } = await served();
  expect((await requestOf({ reasoning_effort: asked })).reasoningEffort).toBe(effort);
});

test('what a model thinks comes apart from its answer, and is counted', async () => {
  const { client } = await served((generation) =>
    generation
      .push({ type: 'reasoning-delta', text: 'Hm, ' }, { type: 'reasoning-delta', text: 'two.' })
      .text('2')
      .finish({ completionTokens: 9, reasoningTokens: 6 }),
  );
  const whole = await client.chat.completions.create({ model, messages });
  expect(whole.choices[0]?.message).toEqual({
    role: 'assistant',
    content: '2',
    refusal: null,
    reasoning_content: 'Hm, two.',
  });
  expect(whole.usage).toEqual({
    prompt_tokens: 7,
    completion_tokens: 9,
    total_tokens: 16,
    prompt_tokens_details: { cached_tokens: 3 },
    completion_tokens_details: { reasoning_tokens: 6 },
  });
  const chunks = await collected(await client.chat.completions.create({ model, messages, stream: true }));
  expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
    { role: 'assistant', content: '' },
    { reasoning_content: 'Hm, ' },
    { reasoning_content: 'two.' },
    { content: '2' },
    {},
  ]);
});

test('usage that nobody counted is left out, and not nought', async () => {
  const { client } = await served((generation) => {
    generation.text('2').push({ type: 'finish', reason: 'stop' }).end();
  });
  const whole = await client.chat.completions.create({ model, messages });
  expect([whole.choices[0]?.message.content, 'usage' in whole]).toEqual(['2', false]);
  const options = { stream: true, stream_options: { include_usage: true } } as const;
  const chunks = await collected(await client.chat.completions.create({ model, messages, ...options }));
  expect(chunks.map((chunk) => chunk.usage)).toEqual([null, null, null]);
});

test('legacy completions leave out what they have no words for', async () => {
  const { client } = await served((generation) =>
    generation.push({ type: 'reasoning-delta', text: 'Hm.' }).text('2').finish({}, 'content-filter'),
  );
  const body = { model, prompt: '1 + 1 =' };
  const { choices } = await client.completions.create(body);
  expect(choices).toEqual([{ text: '2', index: 0, logprobs: null, finish_reason: 'content_filter' }]);
  const chunks = await collected(await client.completions.create({ ...body, stream: true }));
  expect(chunks.map((chunk) => chunk.choices[0]?.text)).toEqual(['2', '']);
});

test('an answer that a filter ended says so', async () => {
  const { client } = await served((generation) => generation.text('I').finish({}, 'content-filter'));
  const { choices } = await client.chat.completions.create({ model, messages });
  expect(choices[0]?.finish_reason).toBe('content_filter');
});

test('arguments of a call that never began are a fault, told as one', async () => {
  const { client } = await served((generation) =>
    generation.push({ type: 'tool-call-delta', index: 3, argumentsText: '{}' }).finish({}, 'tool-calls'),
  );
  for (const stream of [true, false]) {
    const error: unknown = await (async () => {
      const answer = await client.chat.completions.create({ model, messages, stream });
      if (Symbol.asyncIterator in answer) await collected(answer);
    })().catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'internal_error' });
  }
});

test.each<[who: string, body: object, headers: Record<string, string>, user: string | null]>([
  ['nobody', {}, {}, null],
  ['user', { user: 'ann' }, { 'x-roundhouse-user': 'bob' }, 'ann'],
  ['safety_identifier', { user: '', safety_identifier: 'ann' }, {}, 'ann'],
  ['metadata.user_id', { user: null, metadata: { user_id: 'ann' } }, {}, 'ann'],
  ['the header', {}, { 'x-roundhouse-user': ' bob ' }, 'bob'],
])('whom a request is for: %s', async (_who, body, headers, user) => {
  const { client, ports } = await served();
  await client.chat.completions.create({ model, messages, ...body }, { headers });
  await client.completions.create({ model, prompt: 'x', ...body }, { headers });
  expect(ports.generations.map(({ caller }) => caller.user)).toEqual([user, user]);
  // What the caller did not write into the body is not for providers.
  const told = 'x-roundhouse-user' in headers && !('user' in body) ? null : user;
  expect(ports.generations.map(({ request }) => request.user)).toEqual([told, told]);
});

test('without any word of the user it is the API key that names one', async () => {
  const { client, ports } = await served();
  ports.apiKeys = [apiKey('any', { name: 'laptop' })];
  await client.chat.completions.create({ model, messages });
  await client.chat.completions.create({ model, messages, user: 'ann' });
  expect(ports.generations.map(({ caller }) => [caller.keyName, caller.user])).toEqual([
    ['laptop', 'laptop'],
    ['laptop', 'ann'],
  ]);
  expect(ports.generations[0]?.request.user).toBeNull();
});

test('what a request is about: the header before the body', async () => {
  const { client, ports } = await served();
  const metadata = { content_type: 'code' };
  const headers = { 'x-roundhouse-content-type': 'private' };
  await client.chat.completions.create({ model, messages, metadata }, { headers });
  await client.chat.completions.create({ model, messages, metadata });
  await client.chat.completions.create({ model, messages });
  expect(ports.generations.map(({ caller }) => caller.contentType)).toEqual(['private', 'code', null]);
});

test('a header that is too long is refused by its name', async () => {
  const { client, ports } = await served();
  const headers = { 'x-roundhouse-user': 'x'.repeat(513) };
  const error: unknown = await client.chat.completions
    .create({ model, messages }, { headers })
    .catch((e: unknown) => e);
  expect(error).toMatchObject({ status: 400, code: 'invalid_request' });
  expect(String(error)).toContain('X-Roundhouse-User must have at most 512 characters, not 513.');
  expect(ports.generations).toEqual([]);
});

test('what should be known of a model comes in a header of its own', async () => {
  const { client, ports } = await served();
  const ask = async () => (await client.chat.completions.create({ model, messages }).asResponse()).headers;
  expect((await ask()).get('x-roundhouse-warning')).toBeNull();
  ports.warnings = ['demo is deprecated: use größer', 'Its price is unknown.'];
  const headers = await ask();
  expect(decodeURIComponent(headers.get('x-roundhouse-warning') ?? '')).toBe(
    'demo is deprecated: use größer; Its price is unknown.',
  );
  expect(headers.get('x-roundhouse-route')).toBe('demo -> demo; asked by its id');
});

function promptMessages({ request }: FakeGeneration): readonly object[] {
  return request.prompt.kind === 'chat' ? request.prompt.messages : [];
}
