import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { RoundhouseError } from '../../src/shared/errors.ts';
import { answering } from '../fakes/fake-gateway-ports.ts';
import { HELLO, harness, listening } from './harness.ts';

const numbered = () => {
  let last = 0;
  return { newId: () => String(++last) };
};

const injectJson = (url: string, payload: object) => ({
  method: 'POST' as const,
  url,
  headers: { 'content-type': 'application/json' },
  payload,
});

test('the bytes of a chat stream', async () => {
  const { gateway, ports } = harness(numbered());
  ports.engine = answering('Hi ', 'thére\n');
  const options = { stream: true, stream_options: { include_usage: true } };
  const response = await gateway.inject(injectJson('/v1/chat/completions', { ...HELLO, ...options }));
  expect(response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
    'x-request-id': 'req_1',
    'request-id': 'req_1',
    'x-content-type-options': 'nosniff',
  });
  expect(response.headers['content-encoding']).toBeUndefined();
  const head = '"id":"chatcmpl-2","object":"chat.completion.chunk","created":1767225600,"model":"demo"';
  const choice = (delta: string, reason: string) =>
    `"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${reason}}],"usage":null`;
  expect(response.body).toBe(
    [
      `data: {${head},${choice('{"role":"assistant","content":""}', 'null')}}`,
      `data: {${head},${choice('{"content":"Hi "}', 'null')}}`,
      `data: {${head},${choice('{"content":"thére\\n"}', 'null')}}`,
      `data: {${head},${choice('{}', '"stop"')}}`,
      `data: {${head},"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":0}}}`,
      'data: [DONE]',
      '',
    ].join('\n\n'),
  );
});

test('the bytes of a streamed tool call', async () => {
  const { gateway, ports } = harness(numbered());
  ports.engine = (generation) =>
    generation
      .push(
        { type: 'reasoning-delta', text: 'Two.' },
        { type: 'tool-call-start', index: 0, id: 'call_a', name: 'weather' },
        { type: 'tool-call-delta', index: 0, argumentsText: '{"city":' },
        { type: 'tool-call-delta', index: 0, argumentsText: '"Oslo"}' },
        { type: 'tool-call-start', index: 1, id: 'call_b', name: 'time' },
        { type: 'tool-call-delta', index: 1, argumentsText: '' },
      )
      .finish({}, 'tool-calls');
  const response = await gateway.inject(injectJson('/v1/chat/completions', { ...HELLO, stream: true }));
  const chunk = (delta: string, reason = 'null') =>
    'data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1767225600,"model":"demo",' +
    `"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${reason}}]}`;
  expect(response.body).toBe(
    [
      chunk('{"role":"assistant","content":""}'),
      chunk('{"reasoning_content":"Two."}'),
      chunk(
        '{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"weather","arguments":""}}]}',
      ),
      chunk('{"tool_calls":[{"index":0,"function":{"arguments":"{\\"city\\":"}}]}'),
      chunk('{"tool_calls":[{"index":0,"function":{"arguments":"\\"Oslo\\"}"}}]}'),
      chunk(
        '{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"time","arguments":""}}]}',
      ),
      chunk('{}', '"tool_calls"'),
      'data: [DONE]',
      '',
    ].join('\n\n'),
  );
});

test('the bytes of a legacy stream', async () => {
  const { gateway, ports } = harness(numbered());
  ports.engine = answering('a time');
  const body = { model: 'demo', prompt: 'Once upon ', echo: true, stream: true };
  const response = await gateway.inject(injectJson('/v1/completions', body));
  const head = '"id":"cmpl-2","object":"text_completion","created":1767225600,"model":"demo"';
  const choice = (text: string, reason: string) =>
    `"choices":[{"text":"${text}","index":0,"logprobs":null,"finish_reason":${reason}}]`;
  expect(response.body).toBe(
    [
      `data: {${head},${choice('Once upon ', 'null')}}`,
      `data: {${head},${choice('a time', 'null')}}`,
      `data: {${head},${choice('', '"stop"')}}`,
      'data: [DONE]',
      '',
    ].join('\n\n'),
  );
});

test('an answer that is empty from the first part on still has a role, an end and [DONE]', async () => {
  const { gateway, ports } = harness();
  ports.engine = answering();
  const response = await gateway.inject(injectJson('/v1/chat/completions', { ...HELLO, stream: true }));
  expect(response.body.match(/^data: /gm)).toHaveLength(3);
  expect(response.body).toContain('{"role":"assistant","content":""}');
  expect(response.body.endsWith('data: [DONE]\n\n')).toBe(true);
});

/** A chat stream as it comes over the wire, without a client's help. */
async function rawStream(port: number): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpRequest(
    {
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json' },
    },
    resolve,
  );
  request.on('error', reject);
  request.end(JSON.stringify({ ...HELLO, stream: true }));
  return promise;
}

/** What came until the end, and whether that end was the proper one. */
async function readAll(response: IncomingMessage): Promise<{ text: string; whole: boolean }> {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (piece: string) => {
    text += piece;
  });
  response.on('error', () => {});
  await new Promise<void>((resolve) => response.on('close', () => resolve()));
  return { text, whole: response.complete };
}

const failures: [string, (ports: Awaited<ReturnType<typeof listening>>['ports']) => void, string][] = [
  [
    'an error part',
    (ports) => {
      ports.engine = (generation) =>
        generation.text('Hi').fail(new RoundhouseError('engine_failed', 'The engine ended.'));
    },
    '"message":"The engine ended.","type":"server_error","param":null,"code":"engine_failed"',
  ],
  [
    'an end without finish',
    (ports) => {
      ports.engine = (generation) => generation.text('Hi').end();
    },
    '"code":"engine_failed"',
  ],
];
test.each(failures)(
  'after %s in mid-stream: an error event, no [DONE], no proper end',
  async (_name, play, expected) => {
    const { port, ports } = await listening();
    play(ports);
    const response = await rawStream(port);
    expect(response.statusCode).toBe(200);
    const { text, whole } = await readAll(response);
    const events = text.split('\n\n');
    expect(events.at(-1)).toBe('');
    expect(events.at(-2)).toMatch(/^data: \{"error":\{/);
    expect(events.at(-2)).toContain(expected);
    expect(text).not.toContain('[DONE]');
    expect(whole).toBe(false);
  },
);

test('an internal error in mid-stream tells only where to look', async () => {
  const { port, ports, logged } = await listening();
  ports.engine = (generation) =>
    generation.text('Hi').fail(new RoundhouseError('internal_error', 'secret path /home/ann'));
  const { text } = await readAll(await rawStream(port));
  expect(text).not.toContain('secret');
  expect(text).toMatch(/under request req_/);
  expect(logged).toEqual(['secret path /home/ann']);
});

test('headers wait for the first part, at most 10 s; then comments say that it waits', async () => {
  const { port, ports, clock } = await listening();
  const response = rawStream(port);
  const generation = await ports.generation();
  await clock.untilTimers(1);
  clock.advance(10_000);
  const stream = await response;
  expect(stream.headers['x-roundhouse-route']).toContain('demo');
  clock.advance(10_000);
  generation.text('Hi').finish();
  const { text, whole } = await readAll(stream);
  expect(whole).toBe(true);
  expect(text.startsWith(': waiting\n\n: waiting\n\ndata: {')).toBe(true);
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

test('no comment comes once the answer has begun', async () => {
  const { port, ports, clock } = await listening();
  ports.engine = (generation) => void generation.text('Hi');
  const stream = await rawStream(port);
  clock.advance(60_000);
  (await ports.generation()).finish();
  expect((await readAll(stream)).text).not.toContain(': waiting');
});

test('an error before 10 s have passed has its status, one after them goes into the stream', async () => {
  const { port, ports, clock } = await listening();
  const early = rawStream(port);
  const overflow = new RoundhouseError(
    'context_length_exceeded',
    'This model’s maximum context length is 8 tokens.',
  );
  (await ports.generation(0)).fail(overflow);
  expect((await early).statusCode).toBe(400);
  (await early).resume();

  const late = rawStream(port);
  const generation = await ports.generation(1);
  await clock.untilTimers(1);
  clock.advance(10_000);
  const stream = await late;
  expect(stream.statusCode).toBe(200);
  generation.fail(overflow);
  const { text, whole } = await readAll(stream);
  expect(text).toMatch(/^: waiting\n\ndata: \{"error":.*"context_length_exceeded"\}\}\n\n$/);
  expect(whole).toBe(false);
});

test('the overhead leaves waiting and backend out, and stops at the first part', async () => {
  const { gateway, ports, clock } = harness();
  for (const stream of [true, false]) {
    const index = ports.generations.length;
    const response = gateway.inject(injectJson('/v1/chat/completions', { ...HELLO, stream }));
    const generation = await ports.generation(index);
    clock.advance(1000.5);
    generation.spent = { waitMs: 600, backendMs: 398 };
    generation.text('Hi').finish();
    expect((await response).headers['x-roundhouse-overhead-ms']).toBe('2.500');
  }
});

test('an answer that failed after a wait does not call the wait overhead', async () => {
  const { gateway, ports, clock } = harness();
  const response = gateway.inject(injectJson('/v1/chat/completions', HELLO));
  const generation = await ports.generation();
  clock.advance(5001);
  generation.spent = { waitMs: 5000, backendMs: 0 };
  generation.fail(new RoundhouseError('queue_timeout', 'It took too long.'));
  expect((await response).headers).toMatchObject({ 'x-roundhouse-overhead-ms': '1.000', 'retry-after': '1' });
});

test('the route is told in a header that any name fits into', async () => {
  const { gateway, ports } = harness();
  ports.engine = answering('Hi');
  const model = 'größe\r\nx-evil: 1 模型 100% \ud800';
  ports.list = ports.list.map((view) => ({ ...view, aliases: [model] }));
  const response = await gateway.inject(injectJson('/v1/chat/completions', { ...HELLO, model }));
  expect(response.statusCode).toBe(200);
  const header = String(response.headers['x-roundhouse-route']);
  expect(header).toMatch(/^[\x20-\x7e]+$/);
  expect(decodeURIComponent(header)).toBe(`${model.toWellFormed()} -> demo; stands for demo`);
  expect(response.headers['x-evil']).toBeUndefined();
});
