import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { RoundhouseError } from '../../src/shared/errors.ts';
import { answering, apiKey, modelView } from '../fakes/fake-gateway-ports.ts';
import { collected, listening } from './harness.ts';

/** The client as programs use it: unchanged, except that it does not try again by itself unless a test is about that. */
function clientOf(url: string, options: { maxRetries?: number; apiKey?: string } = {}): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0, ...options });
}

const messages = [{ role: 'user' as const, content: 'Hello' }];

test('a chat answer, whole', async () => {
  const { url, ports } = await listening();
  ports.engine = answering('Hi ', 'there');
  const completion = await clientOf(url).chat.completions.create({ model: 'demo', messages });
  expect(completion.object).toBe('chat.completion');
  expect(completion.id).toMatch(/^chatcmpl-/);
  expect(completion.model).toBe('demo');
  expect(Number.isInteger(completion.created)).toBe(true);
  expect(completion.choices).toEqual([
    {
      index: 0,
      message: { role: 'assistant', content: 'Hi there', refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ]);
  expect(completion.usage).toEqual({
    prompt_tokens: 7,
    completion_tokens: 2,
    total_tokens: 9,
    prompt_tokens_details: { cached_tokens: 3 },
    completion_tokens_details: { reasoning_tokens: 0 },
  });
});

test('a chat answer, streamed, with usage', async () => {
  const { url, ports } = await listening();
  ports.engine = answering('Hi ', 'there');
  const stream = await clientOf(url).chat.completions.create({
    model: 'demo',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await collected(stream);
  expect(chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta))).toEqual([
    { role: 'assistant', content: '' },
    { content: 'Hi ' },
    { content: 'there' },
    {},
  ]);
  expect(chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.finish_reason))).toEqual([
    null,
    null,
    null,
    'stop',
  ]);
  expect(chunks.map((chunk) => chunk.usage?.total_tokens)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    9,
  ]);
  expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
});

test('without include_usage no chunk speaks of usage', async () => {
  const { url, ports } = await listening();
  ports.engine = answering('Hi');
  const stream = await clientOf(url).chat.completions.create({ model: 'demo', messages, stream: true });
  for await (const chunk of stream) {
    expect(chunk.choices).toHaveLength(1);
    expect('usage' in chunk).toBe(false);
  }
});

test('n: 2 streams two choices apart, with seeds of their own, and counts the prompt once', async () => {
  const { url, ports } = await listening();
  const answerPromise = clientOf(url).chat.completions.create({
    model: 'demo',
    messages,
    n: 2,
    seed: -1,
    stream: true,
    stream_options: { include_usage: true },
  });
  const [first, second] = [await ports.generation(0), await ports.generation(1)];
  expect([first.request.sampling.seed, second.request.sampling.seed]).toEqual([0xffff_ffff, 0]);
  expect(first.route).toBe(second.route);
  second.text('b1');
  const stream = await answerPromise;
  first.text('a1');
  second.text('b2').finish();
  first.text('a2').finish();
  const texts = ['', ''];
  const roles = [0, 0];
  let total: number | undefined;
  for await (const chunk of stream) {
    total = chunk.usage?.total_tokens ?? total;
    for (const { index, delta } of chunk.choices) {
      texts[index] += delta.content ?? '';
      if (delta.role) roles[index] = (roles[index] ?? 0) + 1;
    }
  }
  expect(texts).toEqual(['a1a2', 'b1b2']);
  expect(roles).toEqual([1, 1]);
  expect(total).toBe(7 + 2 + 2);
});

test('n: 2, whole', async () => {
  const { url, ports } = await listening();
  let count = 0;
  ports.engine = (generation) => answering(`answer ${count++}`)(generation);
  const completion = await clientOf(url).chat.completions.create({ model: 'demo', messages, n: 2 });
  expect(completion.choices.map((choice) => [choice.index, choice.message.content])).toEqual([
    [0, 'answer 0'],
    [1, 'answer 1'],
  ]);
});

test('when one of two choices fails, the other is stopped', async () => {
  const { url, ports } = await listening();
  const asked = clientOf(url).chat.completions.create({ model: 'demo', messages, n: 2 });
  const [first, second] = [await ports.generation(0), await ports.generation(1)];
  second.fail(new RoundhouseError('engine_failed', 'The engine of demo ended.'));
  await expect(asked).rejects.toBeInstanceOf(OpenAI.InternalServerError);
  await first.aborted;
});

test('every parameter reaches the engine', async () => {
  const { url, ports } = await listening();
  ports.engine = answering('ok');
  await clientOf(url).chat.completions.create({
    model: 'demo',
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
        name: 'ann',
      },
      { role: 'assistant', content: null },
      { role: 'tool', content: '42', tool_call_id: 'call_1' },
    ],
    max_tokens: 5,
    max_completion_tokens: 9,
    temperature: 0.5,
    top_p: 0.9,
    stop: ['', 'END', 'STOP', 'a', 'b', 'c'],
    seed: 2 ** 32 + 5,
    frequency_penalty: 1,
    presence_penalty: -1,
    logit_bias: { '50': -100 },
    reasoning_effort: 'low',
    user: 'ann',
    ...{ top_k: -1, min_p: 0.1, repeat_penalty: 1.1, an_unknown_one: {} },
  });
  expect((await ports.generation()).request).toEqual({
    prompt: {
      kind: 'chat',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'one\ntwo', name: 'ann' },
        { role: 'assistant', content: '' },
        { role: 'tool', content: '42', toolCallId: 'call_1' },
      ],
    },
    maxTokens: 9,
    stop: ['END', 'STOP', 'a', 'b', 'c'],
    sampling: {
      temperature: 0.5,
      topP: 0.9,
      topK: 0,
      minP: 0.1,
      repeatPenalty: 1.1,
      frequencyPenalty: 1,
      presencePenalty: -1,
      logitBias: { '50': -100 },
      seed: 5,
    },
    tools: null,
    responseFormat: null,
    reasoningEffort: 'low',
    user: 'ann',
  });
});

test('legacy completions: text, tokens, lists, echo, streamed and not', async () => {
  const { url, ports } = await listening();
  ports.engine = answering(' time');
  const client = clientOf(url);
  const one = await client.completions.create({ model: 'demo', prompt: 'Once', echo: true });
  expect(one.object).toBe('text_completion');
  expect(one.id).toMatch(/^cmpl-/);
  expect(one.choices).toEqual([{ text: 'Once time', index: 0, logprobs: null, finish_reason: 'stop' }]);

  const many = await client.completions.create({
    model: 'demo',
    prompt: ['a', 'b'],
    n: 2,
    seed: 1,
    echo: true,
  });
  expect(many.choices.map((choice) => [choice.index, choice.text])).toEqual([
    [0, 'a time'],
    [1, 'a time'],
    [2, 'b time'],
    [3, 'b time'],
  ]);
  expect(many.usage).toMatchObject({ prompt_tokens: 14, completion_tokens: 8, total_tokens: 22 });

  await client.completions.create({ model: 'demo', prompt: [1, 2, 3], max_tokens: 0 });
  await client.completions.create({ model: 'demo', prompt: [[4], [5, 6]] });
  const prompts = ports.generations.map(({ request }) => request.prompt);
  expect(prompts.slice(-3)).toEqual([
    { kind: 'tokens', tokens: [1, 2, 3] },
    { kind: 'tokens', tokens: [4] },
    { kind: 'tokens', tokens: [5, 6] },
  ]);
  expect(ports.generations.map(({ request }) => request.maxTokens).slice(-3)).toEqual([0, 16, 16]);

  const stream = await client.completions.create({ model: 'demo', prompt: 'Once', echo: true, stream: true });
  const chunks = await collected(stream);
  expect(chunks.map((chunk) => chunk.choices[0]?.text)).toEqual(['Once', ' time', '']);
  expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason)).toEqual([null, null, 'stop']);
});

test('models are listed and found, whatever their ids hold', async () => {
  const { url, ports } = await listening();
  const ids = ['demo', 'org/model:q4 k_m', 'größe-模型', 'hundred%20percent%', 'a/../b', 'ends-with/'];
  ports.list = ids.map((id) => modelView(id, id === 'demo' ? { aliases: ['nick'], tiers: ['low'] } : {}));
  const client = clientOf(url);
  const listed = await collected(await client.models.list());
  expect(listed.map((model) => model.id)).toEqual(ids);
  for (const id of ids.slice(0, -2)) {
    expect((await client.models.retrieve(id)).id).toBe(id);
  }
  ports.list.push(modelView('org/model'));
  const unencoded = await fetch(`${url}/v1/models/org/model/`);
  expect(await unencoded.json()).toMatchObject({ id: 'org/model' });
  expect((await client.models.retrieve('nick')).id).toBe('demo');
  expect(await client.models.retrieve('demo')).toMatchObject({
    object: 'model',
    owned_by: 'roundhouse',
    type: 'model',
    display_name: 'demo',
    created_at: '2026-01-01T00:00:00.000Z',
    created: 1767225600,
    roundhouse: { state: 'ready', context_size: 2048, slots: 4, aliases: ['nick'], tiers: ['low'] },
  });
  await expect(client.models.retrieve('none')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

test.each([
  ['model_not_found', OpenAI.NotFoundError],
  ['context_length_exceeded', OpenAI.BadRequestError],
  ['model_too_large', OpenAI.BadRequestError],
  ['rate_limit_exceeded', OpenAI.RateLimitError],
  ['queue_timeout', OpenAI.InternalServerError],
  ['engine_failed', OpenAI.InternalServerError],
  ['conflict', OpenAI.ConflictError],
  ['model_retired', OpenAI.NotFoundError],
  ['capability_missing', OpenAI.BadRequestError],
  ['content_is_private', OpenAI.PermissionDeniedError],
  ['no_candidate', OpenAI.InternalServerError],
  ['insufficient_quota', OpenAI.RateLimitError],
  ['provider_auth', OpenAI.InternalServerError],
  ['provider_rate_limited', OpenAI.RateLimitError],
  ['provider_error', OpenAI.InternalServerError],
  ['provider_timeout', OpenAI.InternalServerError],
] as const)('%s before the first part has its class, streamed or not', async (code, errorClass) => {
  const { url, ports } = await listening();
  ports.engine = (generation) =>
    generation.fail(new RoundhouseError(code, 'What was wrong.', { param: 'model' }));
  const client = clientOf(url);
  for (const stream of [true, false]) {
    const error: unknown = await client.chat.completions
      .create({ model: 'demo', messages, stream })
      .catch((e) => e);
    expect(error).toBeInstanceOf(errorClass);
    expect(error).toMatchObject({ code, param: 'model', error: { message: 'What was wrong.' } });
  }
});

test.each([
  ['engine_failed', 1, 2],
  ['provider_error', null, 2],
  ['conflict', null, 1],
  ['insufficient_quota', null, 1],
  ['insufficient_quota', 3_600_000, 1],
  ['provider_auth', null, 1],
] as const)(
  'the client tries again what will pass, and not what will repeat: %s after %s ms',
  async (code, retryAfterMs, tries) => {
    const { url, ports } = await listening();
    const details = retryAfterMs === null ? {} : { retryAfterMs };
    ports.engine = (generation) => generation.fail(new RoundhouseError(code, 'It failed.', details));
    const error: unknown = await clientOf(url, { maxRetries: 1 })
      .chat.completions.create({ model: 'demo', messages })
      .catch((e: unknown) => e);
    expect(ports.generations).toHaveLength(tries);
    expect(error).toMatchObject({ code });
    expect(Reflect.get(Object(error), 'headers').get('x-should-retry')).toBe(tries === 1 ? 'false' : null);
  },
);

test('an error in mid-stream reaches the client as an error', async () => {
  const { url, ports } = await listening();
  ports.engine = (generation) =>
    generation.text('Hi').fail(new RoundhouseError('engine_failed', 'The engine of demo ended.'));
  const stream = await clientOf(url).chat.completions.create({ model: 'demo', messages, stream: true });
  const seen: string[] = [];
  const error: unknown = await (async () => {
    for await (const chunk of stream) seen.push(chunk.choices[0]?.delta.content ?? '');
  })().catch((e: unknown) => e);
  expect(seen).toEqual(['', 'Hi']);
  expect(error).toBeInstanceOf(OpenAI.APIError);
  expect(error).toMatchObject({ code: 'engine_failed' });
});

test('aborting a stream stops its generation', async () => {
  const { url, ports } = await listening();
  ports.engine = (generation) => void generation.text('Hi');
  const stream = await clientOf(url).chat.completions.create({ model: 'demo', messages, stream: true });
  for await (const _chunk of stream) break;
  await (await ports.generation()).aborted;
});

test('fifty requests at once each get their own answer', async () => {
  const { url, ports } = await listening();
  ports.engine = (generation) => {
    const { prompt } = generation.request;
    answering(prompt.kind === 'chat' ? `re: ${prompt.messages[0]?.content}` : '')(generation);
  };
  const client = clientOf(url);
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const body = { model: 'demo', messages: [{ role: 'user' as const, content: `q${index}` }] };
      if (index % 2 === 0) return (await client.chat.completions.create(body)).choices[0]?.message.content;
      const stream = await client.chat.completions.create({ ...body, stream: true });
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      return text;
    }),
  );
  expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => `re: q${index}`));
});

test('a key is asked for when there is one', async () => {
  const { url, ports } = await listening();
  ports.engine = answering('ok');
  ports.apiKeys = [apiKey('sk-right', { name: 'ann' })];
  const ask = (apiKey: string) =>
    clientOf(url, { apiKey }).chat.completions.create({ model: 'demo', messages });
  await expect(ask('sk-wrong')).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await ask('sk-right');
  expect(ports.generations.map(({ caller }) => caller.keyName)).toEqual(['ann']);
});
