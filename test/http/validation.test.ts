import { expect, test } from 'vitest';
import { answering } from '../fakes/fake-gateway-ports.ts';
import { type Harness, HELLO, harness } from './harness.ts';

function post({ gateway }: Harness, url: string, payload: string | object) {
  return gateway.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
}

const user = (content: unknown) => ({
  messages: [
    { role: 'system', content: 'x' },
    { role: 'user', content },
  ],
});

const image = (image_url: unknown) => ({ type: 'image_url', image_url });
const called = (message: object) => ({ messages: [{ role: 'assistant', content: null, ...message }] });
const tool = (fields: object) => ({ type: 'function', function: fields });

/** An object inside an object, so many levels deep. */
function nested(depth: number): object {
  let object = {};
  for (let level = 1; level < depth; level += 1) object = { a: object };
  return object;
}

const MESSAGES = '"messages":[{"role":"user","content":"x"}]';

const WRONG_CHATS: [body: object, param: string, code?: string][] = [
  [{ messages: undefined }, 'messages'],
  [{ messages: null }, 'messages'],
  [{ messages: [] }, 'messages'],
  [{ messages: 'Hello' }, 'messages'],
  [{ messages: ['Hello'] }, 'messages[0]'],
  [{ messages: [{ content: 'x' }] }, 'messages[0].role'],
  [{ messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
  [{ messages: [{ role: 'function', name: 'f', content: 'x' }] }, 'messages[0].name'],
  [{ messages: [{ role: 'user' }] }, 'messages[0].content'],
  [user(null), 'messages[1].content'],
  [user(5), 'messages[1].content'],
  [user({ type: 'text', text: 'x' }), 'messages[1].content'],
  [user(['x']), 'messages[1].content[0]'],
  [user([{ text: 'x' }]), 'messages[1].content[0].type'],
  [user([{ type: 'text' }]), 'messages[1].content[0].text'],
  [user([{ type: 'hologram' }]), 'messages[1].content[0].type'],
  [user([{ type: 'refusal', refusal: 'x' }]), 'messages[1].content[0].type'],
  [
    user([
      { type: 'text', text: 'x' },
      { type: 'image_url', image_url: { url: 'x' } },
    ]),
    'messages[1].content[1].image_url.url',
  ],
  [user([image(null)]), 'messages[1].content[0].image_url'],
  [user([image({})]), 'messages[1].content[0].image_url.url'],
  [user([image({ url: 'http://example.com/cat.png' })]), 'messages[1].content[0].image_url.url'],
  [user([image({ url: 'file:///etc/passwd' })]), 'messages[1].content[0].image_url.url'],
  [user([image({ url: 'https://' })]), 'messages[1].content[0].image_url.url'],
  [user([image({ url: `https://x/${'y'.repeat(9000)}` })]), 'messages[1].content[0].image_url.url'],
  [user([image({ url: 'data:image/png;base64,' })]), 'messages[1].content[0].image_url.url'],
  [user([image({ url: 'data:image/png;base64,A' })]), 'messages[1].content[0].image_url.url'],
  [user([image({ url: 'data:image/png;base64,AA*A' })]), 'messages[1].content[0].image_url.url'],
  [user([image({ url: 'data:text/html;base64,AAAA' })]), 'messages[1].content[0].image_url.url'],
  [user([image({ url: 'data:image/svg+xml,<svg/>' })]), 'messages[1].content[0].image_url.url'],
  [user([image({ url: 'https://x/y.png', detail: 'ultra' })]), 'messages[1].content[0].image_url.detail'],
  [user([{ type: 'input_audio' }]), 'messages[1].content[0].input_audio'],
  [user([{ type: 'input_audio', input_audio: {} }]), 'messages[1].content[0].input_audio.data'],
  [
    user([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'WAV!' } }]),
    'messages[1].content[0].input_audio.format',
  ],
  [user([{ type: 'file', file: 5 }]), 'messages[1].content[0].file'],
  [user([{ type: 'file', file: {} }]), 'messages[1].content[0].file.file_data'],
  [user([{ type: 'file', file: { filename: 5 } }]), 'messages[1].content[0].file.filename'],
  [
    user([{ type: 'file', file: { file_data: 'data:application/pdf;base64,%' } }]),
    'messages[1].content[0].file.file_data',
  ],
  [
    user([{ type: 'file', file: { file_id: 'file-1' } }]),
    'messages[1].content[0].file.file_id',
    'unsupported_content',
  ],
  [
    user([{ type: 'video_url', video_url: { url: 'https://x/y.mp4' } }]),
    'messages[1].content[0].type',
    'unsupported_content',
  ],
  [user(Array(10_001).fill({ type: 'text', text: '' })), 'messages[1].content'],
  [
    { messages: [{ role: 'system', content: [image({ url: 'https://x/y.png' })] }] },
    'messages[0].content[0].type',
  ],
  [{ messages: [{ role: 'tool', content: null, tool_call_id: 'a' }] }, 'messages[0].content'],
  [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
  [{ messages: [{ role: 'tool', content: 'x', tool_call_id: 5 }] }, 'messages[0].tool_call_id'],
  [{ messages: [{ role: 'tool', content: 'x', tool_call_id: '' }] }, 'messages[0].tool_call_id'],
  [called({ tool_calls: {} }), 'messages[0].tool_calls'],
  [called({ tool_calls: ['x'] }), 'messages[0].tool_calls[0]'],
  [called({ tool_calls: [{ id: 'a' }] }), 'messages[0].tool_calls[0].function'],
  [called({ tool_calls: [{ function: { name: 'f' } }] }), 'messages[0].tool_calls[0].id'],
  [called({ tool_calls: [{ id: 'a', function: {} }] }), 'messages[0].tool_calls[0].function.name'],
  [
    called({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: {} } }] }),
    'messages[0].tool_calls[0].function.arguments',
  ],
  [called({ tool_calls: [{ id: 'a', type: 'web' }] }), 'messages[0].tool_calls[0].type'],
  [
    called({ tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } }] }),
    'messages[0].tool_calls[0].type',
    'unsupported_parameter',
  ],
  [called({ function_call: {} }), 'messages[0].function_call.name'],
  [
    called({ tool_calls: [{ id: 'a', function: { name: 'f' } }], function_call: { name: 'f' } }),
    'messages[0].function_call',
  ],
  [{ model: 5 }, 'model'],
  [{ model: 'x'.repeat(513) }, 'model'],
  [{ max_tokens: 0 }, 'max_tokens'],
  [{ max_tokens: -1 }, 'max_tokens'],
  [{ max_tokens: 1.5 }, 'max_tokens'],
  [{ max_tokens: '5' }, 'max_tokens'],
  [{ max_completion_tokens: 0, max_tokens: 5 }, 'max_completion_tokens'],
  [{ temperature: -0.1 }, 'temperature'],
  [{ temperature: 2.1 }, 'temperature'],
  [{ temperature: 'hot' }, 'temperature'],
  [{ top_p: 1.1 }, 'top_p'],
  [{ top_k: 1.5 }, 'top_k'],
  [{ top_k: -2 }, 'top_k'],
  [{ min_p: 2 }, 'min_p'],
  [{ repeat_penalty: -1 }, 'repeat_penalty'],
  [{ frequency_penalty: 2.5 }, 'frequency_penalty'],
  [{ presence_penalty: -2.5 }, 'presence_penalty'],
  [{ logit_bias: [] }, 'logit_bias'],
  [{ logit_bias: { abc: 1 } }, 'logit_bias.abc'],
  [{ logit_bias: { '5': 101 } }, 'logit_bias.5'],
  [{ logit_bias: { '5': 'x' } }, 'logit_bias.5'],
  [{ seed: 2 ** 53 }, 'seed'],
  [{ seed: 0.5 }, 'seed'],
  [{ seed: 'x' }, 'seed'],
  [{ stop: 5 }, 'stop'],
  [{ stop: ['a', 5] }, 'stop[1]'],
  [{ n: 0 }, 'n'],
  [{ n: 17 }, 'n'],
  [{ n: 1.5 }, 'n'],
  [{ stream: 'yes' }, 'stream'],
  [{ stream_options: 5 }, 'stream_options'],
  [{ stream_options: { include_usage: 'yes' } }, 'stream_options.include_usage'],
  [{ tools: {} }, 'tools'],
  [{ tools: ['f'] }, 'tools[0]'],
  [{ tools: [{ function: { name: 'f' } }] }, 'tools[0].type'],
  [{ tools: [{ type: 'web_search' }] }, 'tools[0].type', 'unsupported_parameter'],
  [{ tools: [{ type: 'function' }] }, 'tools[0].function'],
  [{ tools: [tool({ name: 'no spaces' })] }, 'tools[0].function.name'],
  [{ tools: [tool({ name: '' })] }, 'tools[0].function.name'],
  [{ tools: [tool({ name: 'f', description: 5 })] }, 'tools[0].function.description'],
  [{ tools: [tool({ name: 'f', description: 'x'.repeat(70_000) })] }, 'tools[0].function.description'],
  [{ tools: [tool({ name: 'f', strict: 'yes' })] }, 'tools[0].function.strict'],
  [{ tools: [tool({ name: 'f', parameters: [] })] }, 'tools[0].function.parameters'],
  [{ tools: [tool({ name: 'f', parameters: nested(65) })] }, 'tools[0].function.parameters'],
  [
    { tools: [tool({ name: 'f', parameters: { enum: Array(20_000).fill(0) } })] },
    'tools[0].function.parameters',
  ],
  [{ tools: [tool({ name: 'f' }), tool({ name: 'f' })] }, 'tools[1]'],
  [{ tools: Array.from({ length: 513 }, (_, index) => tool({ name: `f${index}` })) }, 'tools'],
  [{ tools: [tool({ name: 'f' })], functions: [{ name: 'f' }] }, 'functions'],
  [{ functions: [{}] }, 'functions[0].name'],
  [{ tool_choice: 'required' }, 'tool_choice'],
  [{ tool_choice: 'sometimes' }, 'tool_choice'],
  [{ tool_choice: 5 }, 'tool_choice'],
  [{ tool_choice: { type: 'function', function: { name: 'f' } } }, 'tool_choice'],
  [
    { tools: [tool({ name: 'f' })], tool_choice: { type: 'function', function: { name: 'g' } } },
    'tool_choice',
  ],
  [{ tools: [tool({ name: 'f' })], tool_choice: { type: 'function' } }, 'tool_choice.function.name'],
  [{ tools: [tool({ name: 'f' })], tool_choice: { type: 'custom' } }, 'tool_choice.type'],
  [{ tools: [tool({ name: 'f' })], tool_choice: { type: 'allowed_tools' } }, 'tool_choice.allowed_tools'],
  [
    { tools: [tool({ name: 'f' })], tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [] } },
    'tool_choice.allowed_tools.tools',
  ],
  [{ functions: [{ name: 'f' }], function_call: { name: 'g' } }, 'function_call'],
  [{ parallel_tool_calls: 'yes' }, 'parallel_tool_calls'],
  [{ response_format: 'json' }, 'response_format'],
  [{ response_format: { type: 'xml' } }, 'response_format.type'],
  [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
  [{ response_format: { type: 'json_schema', json_schema: {} } }, 'response_format.json_schema.name'],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'a' } } },
    'response_format.json_schema.schema',
  ],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: nested(65) } } },
    'response_format.json_schema.schema',
  ],
  [{ reasoning_effort: 'hard' }, 'reasoning_effort'],
  [{ reasoning_effort: 5 }, 'reasoning_effort'],
  [{ user: 5 }, 'user'],
  [{ user: 'x'.repeat(513) }, 'user'],
  [{ safety_identifier: {} }, 'safety_identifier'],
  [{ metadata: 'x' }, 'metadata'],
  [{ metadata: { user_id: 5 } }, 'metadata.user_id'],
  [{ metadata: { content_type: 'x'.repeat(129) } }, 'metadata.content_type'],
  [{ logprobs: true }, 'logprobs', 'unsupported_parameter'],
  [{ top_logprobs: 3 }, 'top_logprobs', 'unsupported_parameter'],
  [{ modalities: ['text', 'audio'] }, 'modalities', 'unsupported_parameter'],
  [{ audio: { voice: 'x' } }, 'audio', 'unsupported_parameter'],
  [{ web_search_options: {} }, 'web_search_options', 'unsupported_parameter'],
];

const WRONG_CHATS_NAMED = WRONG_CHATS.map(([body, param, code = 'invalid_request']) => ({
  shown: JSON.stringify(body).slice(0, 120),
  body,
  param,
  code,
}));

test.each(WRONG_CHATS_NAMED)('chat with $shown is refused: $param', async ({ body, param, code }) => {
  const made = harness();
  for (const stream of [false, true]) {
    const response = await post(made, '/v1/chat/completions', { stream, ...HELLO, ...body });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toEqual({
      error: { message: expect.stringMatching(/^.{10,}\.$/), type: 'invalid_request_error', param, code },
    });
  }
  expect(made.ports.generations).toEqual([]);
});

const WRONG_COMPLETIONS: [body: object, param: string, code?: string][] = [
  [{ prompt: undefined }, 'prompt'],
  [{ prompt: null }, 'prompt'],
  [{ prompt: [] }, 'prompt'],
  [{ prompt: 5 }, 'prompt'],
  [{ prompt: {} }, 'prompt'],
  [{ prompt: ['a', 5] }, 'prompt[1]'],
  [{ prompt: ['a', [5]] }, 'prompt[1]'],
  [{ prompt: [1, 'a'] }, 'prompt[1]'],
  [{ prompt: [1, -1] }, 'prompt[1]'],
  [{ prompt: [1, 1.5] }, 'prompt[1]'],
  [{ prompt: [[1], []] }, 'prompt[1]'],
  [{ prompt: [[1], [2, 2 ** 40]] }, 'prompt[1][1]'],
  [{ prompt: [{}] }, 'prompt[0]'],
  [{ prompt: Array(9).fill('a'), n: 16 }, 'prompt'],
  [{ max_tokens: -1 }, 'max_tokens'],
  [{ echo: 'yes' }, 'echo'],
  [{ prompt: [1], echo: true }, 'echo', 'unsupported_parameter'],
  [{ suffix: 'end' }, 'suffix', 'unsupported_parameter'],
  [{ best_of: 2 }, 'best_of', 'unsupported_parameter'],
  [{ logprobs: 0 }, 'logprobs', 'unsupported_parameter'],
];

test.each(WRONG_COMPLETIONS)(
  'completions with %j is refused: %s',
  async (body, param, code = 'invalid_request') => {
    const response = await post(harness(), '/v1/completions', { prompt: 'x', ...body });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error: { type: 'invalid_request_error', param, code } });
  },
);

test('a list that is far too long is refused as a whole, before its entries are looked at', async () => {
  const many = (entry: string) => `[${`${entry},`.repeat(200_000)}${entry}]`;
  const messages = await post(harness(), '/v1/chat/completions', `{"messages":${many('{}')}}`);
  expect([messages.statusCode, messages.json().error.param]).toEqual([400, 'messages']);
  const prompts = await post(harness(), '/v1/completions', `{"prompt":${many('""')}}`);
  expect([prompts.statusCode, prompts.json().error.param]).toEqual([400, 'prompt']);
  const stops = await post(harness(), '/v1/completions', `{"prompt":"x","stop":${many('5')}}`);
  expect([stops.statusCode, stops.json().error.param]).toEqual([400, 'stop']);
});

test.each([
  ['messages[0]', '"messages":DEEP'],
  ['messages[0].role', '"messages":[{"role":DEEP}]'],
  ['messages[0].content[0]', '"messages":[{"role":"user","content":DEEP}]'],
  [
    'tools[0].function.parameters',
    `${MESSAGES},"tools":[{"type":"function","function":{"name":"f","parameters":{"a":DEEP}}}]`,
  ],
  ['tool_choice', `${MESSAGES},"tool_choice":DEEP`],
  ['response_format', `${MESSAGES},"response_format":DEEP`],
  ['reasoning_effort', `${MESSAGES},"reasoning_effort":DEEP`],
  ['temperature', `${MESSAGES},"temperature":DEEP`],
])('a body nested a million deep is refused: %s', async (param, fields) => {
  const depth = 1_000_000;
  const deep = '['.repeat(depth) + ']'.repeat(depth);
  const response = await post(harness(), '/v1/chat/completions', `{${fields.replace('DEEP', deep)}}`);
  expect([response.statusCode, response.json().error.param]).toEqual([400, param]);
});

test.each(['[]', 'null', '5', '"x"', 'true'])('a body that is %s is refused as a whole', async (body) => {
  for (const url of ['/v1/chat/completions', '/v1/completions']) {
    const response = await post(harness(), url, body);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error: { param: null, code: 'invalid_request' } });
  }
});

test.each(['', '{', '{"a":}', '{"temperature":NaN}', "{'a':1}"])(
  'a body that is not JSON is refused: %j',
  async (body) => {
    const response = await post(harness(), '/v1/chat/completions', body);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error: { message: 'The body is not valid JSON.', param: null } });
  },
);

test.each(['temperature', 'top_p', 'max_tokens', 'seed', 'n', 'frequency_penalty'])(
  '%s of 1e999 is refused',
  async (param) => {
    const response = await post(
      harness(),
      '/v1/chat/completions',
      `{"messages":[{"role":"user","content":"x"}],"${param}":1e999}`,
    );
    expect(response.statusCode).toBe(400);
    expect(response.json().error.param).toBe(param);
  },
);

const RIGHT_CHATS: object[] = [
  { model: null },
  { model: '' },
  { messages: [{ role: 'system', content: 'Only me.' }] },
  { messages: [{ role: 'user', content: '' }] },
  { messages: [{ role: 'user', content: [] }] },
  { messages: [{ role: 'assistant', tool_calls: [], function_call: null }] },
  { messages: [{ role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }] },
  { tools: [], tool_choice: 'auto', functions: null, parallel_tool_calls: true },
  {
    tool_choice: 'none',
    response_format: { type: 'text' },
    logprobs: false,
    top_logprobs: 0,
    modalities: ['text'],
  },
  {
    reasoning_effort: 'high',
    prediction: { type: 'content', content: 'x' },
    user: 'ann',
    metadata: { user_id: null, anything: { at: 'all' } },
    store: true,
    nonsense: 5,
  },
  { max_tokens: 2 ** 53 },
  { seed: -(2 ** 53) + 1 },
  { top_k: 0 },
  Object.fromEntries(
    [
      'max_tokens max_completion_tokens temperature top_p top_k min_p repeat_penalty frequency_penalty presence_penalty',
      'logit_bias seed stop n stream stream_options tools tool_choice response_format logprobs top_logprobs audio user',
    ]
      .join(' ')
      .split(' ')
      .map((name) => [name, null]),
  ),
];

test.each(RIGHT_CHATS)('chat with %j is answered', async (body) => {
  const made = harness();
  made.ports.engine = answering('ok');
  const response = await post(made, '/v1/chat/completions', { ...HELLO, ...body });
  expect(response.json()).toMatchObject({ model: 'demo', choices: [{ message: { content: 'ok' } }] });
});

test('without a model it is auto that is asked', async () => {
  const made = harness();
  made.ports.engine = answering('ok');
  const response = await post(made, '/v1/chat/completions', { messages: HELLO.messages });
  expect(decodeURIComponent(String(response.headers['x-roundhouse-route']))).toBe(
    'auto -> demo; stands for demo',
  );
});

test('__proto__ in a body is dropped at any depth', async () => {
  const made = harness();
  made.ports.engine = answering('ok');
  const body =
    '{"__proto__":{"stream":true},"messages":[{"role":"user","content":"x","__proto__":{"role":"robot"}}],"logit_bias":{"__proto__":5}}';
  const response = await post(made, '/v1/chat/completions', body);
  expect(response.statusCode).toBe(200);
  expect((await made.ports.generation()).request.sampling.logitBias).toBeNull();
  expect(Reflect.get({}, 'stream')).toBeUndefined();
});

test('messages say what was wrong, with the value', async () => {
  const message = async (body: object) =>
    (await post(harness(), '/v1/chat/completions', { ...HELLO, ...body })).json().error.message;
  expect(await message({ temperature: 3 })).toBe('"temperature" must be at most 2, not 3.');
  expect(await message({ temperature: 'hot' })).toBe('"temperature" must be a number, not "hot".');
  expect(await message({ messages: undefined })).toBe('"messages" is needed.');
  expect(await message({ messages: [] })).toBe('"messages" must hold at least one message.');
  expect(await message({ stream: 1 })).toBe('"stream" must be true or false, not 1.');
  expect(await message({ seed: 0.5 })).toBe('"seed" must be a whole number, not 0.5.');
  expect(await message({ tools: [{}] })).toBe('The type of a tool must be "function".');
  expect(await message({ tool_choice: { type: 'function', function: { name: 'f' } } })).toBe(
    '"tool_choice" asks for "f", which is no tool here.',
  );
  expect(await message({ reasoning_effort: 'hard' })).toBe(
    '"reasoning_effort" must be none, minimal, low, medium or high, not "hard".',
  );
});
