import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createGateway } from '../../src/main/gateway/gateway.ts';
import { type ErrorCode, HTTP_STATUS, RoundhouseError } from '../../src/shared/errors.ts';
import { answering, apiKey } from '../fakes/fake-gateway-ports.ts';
import { HELLO, harness, listening, postJson } from './harness.ts';

test('every address answers with and without /v1, and with a slash at the end', async () => {
  const { gateway, ports } = harness();
  ports.engine = answering('ok');
  const get = async (url: string) => (await gateway.inject(url)).statusCode;
  for (const url of ['/models', '/models/demo', '/health']) {
    for (const written of [url, `${url}/`, `/v1${url}`, `/v1${url}/`, `/v1${url}?limit=5`]) {
      expect([written, await get(written)]).toEqual([written, 200]);
    }
  }
  for (const url of ['/chat/completions', '/completions/', '/v1/chat/completions/', '/v1/completions']) {
    const headers = { 'content-type': 'application/json' };
    const response = await gateway.inject({
      method: 'POST',
      url,
      headers,
      payload: { ...HELLO, prompt: 'x' },
    });
    expect([url, response.statusCode]).toEqual([url, 200]);
  }
});

test('HEAD / is 200 without a body', async () => {
  const { url } = await listening();
  const response = await fetch(url, { method: 'HEAD' });
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('');
  const models = await fetch(`${url}/v1/models`, { method: 'HEAD' });
  expect([models.status, models.headers.get('content-type')]).toEqual([
    200,
    'application/json; charset=utf-8',
  ]);
});

test('/v1/models has the list fields of both protocols', async () => {
  const { gateway, ports } = harness();
  expect((await gateway.inject('/v1/models')).json()).toMatchObject({
    object: 'list',
    has_more: false,
    first_id: 'demo',
    last_id: 'demo',
  });
  ports.list = [];
  expect((await gateway.inject('/v1/models')).json()).toEqual({
    object: 'list',
    data: [],
    has_more: false,
    first_id: null,
    last_id: null,
  });
});

test('health is told without a key', async () => {
  const { gateway, ports } = harness();
  ports.apiKeys = [apiKey('k')];
  const well = await gateway.inject('/health');
  expect([well.statusCode, well.json()]).toEqual([200, { status: 'ok' }]);
  ports.isServing = false;
  expect((await gateway.inject('/health')).statusCode).toBe(503);
});

test.each([
  ['GET', '/v1/chat/completions', 'POST'],
  ['PUT', '/v1/chat/completions', 'POST'],
  ['DELETE', '/v1/models/demo', 'GET, HEAD'],
  ['POST', '/v1/models', 'GET, HEAD'],
  ['OPTIONS', '/v1/models', 'GET, HEAD'],
  ['PATCH', '/admin/models/list', 'GET, HEAD, POST'],
  ['GET', '/admin/models/load', 'POST'],
  ['HEAD', '/admin/events', 'GET'],
] as const)('%s %s is 405 and says what is allowed', async (method, url, allow) => {
  const { gateway, ports } = harness();
  const headers = { authorization: `Bearer ${ports.adminToken}`, 'content-type': 'application/json' };
  const response = await gateway.inject({
    method,
    url,
    headers,
    ...(method === 'POST' ? { payload: '{}' } : {}),
  });
  expect([response.statusCode, response.headers.allow]).toEqual([405, allow]);
  if (method !== 'HEAD') expect(response.json()).toMatchObject({ error: { code: 'method_not_allowed' } });
});

test.each([
  '/v2/models',
  '/v1/rerank',
  '/v1',
  '/admin',
  '/admin/nothing',
  '/v1/v1/models',
  '/.env',
  '/api/tags',
])('GET %s is 404 in JSON', async (url) => {
  const response = await harness().gateway.inject(url);
  expect(response.statusCode).toBe(404);
  expect(response.json()).toMatchObject({
    error: { type: 'invalid_request_error', param: null, code: 'not_found' },
  });
});

test('POST to an unknown address is 404, and 401 where a key is needed', async () => {
  const { gateway, ports } = harness();
  const post = () =>
    gateway.inject({
      method: 'POST',
      url: '/v1/nothing',
      headers: { 'content-type': 'application/json' },
      payload: '{}',
    });
  expect((await post()).statusCode).toBe(404);
  ports.apiKeys = [apiKey('k')];
  expect((await post()).statusCode).toBe(401);
});

test.each(['/%zz', '/v1/models/%zz', '/v1/models/%', `/v1/models/${'x'.repeat(5000)}`])(
  'an address that cannot be read is answered in JSON with ids: %s',
  async (url) => {
    const response = await harness().gateway.inject(url);
    expect([400, 404]).toContain(response.statusCode);
    expect(response.json().error.code).toMatch(/^(?:invalid_request|not_found|model_not_found)$/);
    expect(response.headers['x-request-id']).toMatch(/^req_/);
  },
);

test('ids are new for each answer and never taken from the caller', async () => {
  const { gateway } = harness();
  const headers = { 'x-request-id': 'mine', 'request-id': 'mine' };
  const answers = [
    await gateway.inject({ url: '/v1/models', headers }),
    await gateway.inject({ url: '/nothing', headers }),
  ];
  const ids = answers.map((response) => response.headers['x-request-id']);
  expect(new Set(ids).size).toBe(2);
  for (const response of answers) {
    expect(response.headers['x-request-id']).toMatch(/^req_[0-9a-f]{32}$/);
    expect(response.headers['request-id']).toBe(response.headers['x-request-id']);
    expect(response.headers['x-roundhouse-overhead-ms']).toMatch(/^\d+\.\d{3}$/);
    expect(response.headers['x-content-type-options']).toBe('nosniff');
  }
});

test('every code has its status, its type, and Retry-After where trying again helps', async () => {
  const { gateway, ports } = harness();
  // Object.keys of a total record gives exactly its keys.
  for (const code of Object.keys(HTTP_STATUS) as ErrorCode[]) {
    ports.engine = (generation) => generation.fail(new RoundhouseError(code, 'What was wrong.'));
    const response = await gateway.inject({
      method: 'POST',
      url: '/v1/chat/completions',
      headers: { 'content-type': 'application/json' },
      payload: HELLO,
    });
    const status = HTTP_STATUS[code];
    expect([code, response.statusCode]).toEqual([code, status]);
    expect(response.json().error).toMatchObject({ code, param: null });
    expect(response.json().error.type).toMatch(/_error$|^insufficient_quota$/);
    const repeats = ['conflict', 'insufficient_quota', 'provider_auth'].includes(code);
    const passes = !repeats && (status === 429 || status === 503);
    expect([code, response.headers['retry-after']]).toEqual([code, passes ? '1' : undefined]);
    expect([code, response.headers['x-should-retry']]).toEqual([code, repeats ? 'false' : undefined]);
  }
});

test('a budget that is spent says when it is renewed, and that trying before is of no use', async () => {
  const { gateway, ports } = harness();
  ports.engine = (generation) =>
    generation.fail(new RoundhouseError('insufficient_quota', 'Spent.', { retryAfterMs: 3_600_000 }));
  const response = await gateway.inject({
    method: 'POST',
    url: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    payload: HELLO,
  });
  expect(response.statusCode).toBe(429);
  expect(response.json().error).toMatchObject({ type: 'insufficient_quota', code: 'insufficient_quota' });
  expect(response.headers).toMatchObject({ 'retry-after': '3600', 'x-should-retry': 'false' });
});

test.each([
  [1, '1'],
  [1000, '1'],
  [1001, '2'],
  [60_000, '60'],
])('Retry-After of %d ms is %s s', async (retryAfterMs, seconds) => {
  const { gateway, ports } = harness();
  ports.engine = (generation) =>
    generation.fail(new RoundhouseError('rate_limit_exceeded', 'Full.', { retryAfterMs }));
  const headers = { 'content-type': 'application/json' };
  const response = await gateway.inject({
    method: 'POST',
    url: '/v1/chat/completions',
    headers,
    payload: HELLO,
  });
  expect([response.statusCode, response.headers['retry-after']]).toEqual([429, seconds]);
});

test('what throws unexpectedly tells only the request id, and is logged', async () => {
  const { gateway, ports, logged } = harness();
  ports.models = () => {
    throw new TypeError('secret /home/ann');
  };
  const response = await gateway.inject('/v1/models');
  expect(response.statusCode).toBe(500);
  expect(response.body).not.toContain('secret');
  expect(response.json().error.message).toContain(String(response.headers['x-request-id']));
  expect(logged).toEqual(['secret /home/ann']);
});

test('a body over the limit is 413, announced or not', async () => {
  const { url, ports } = await listening({ bodyLimitBytes: 1024 ** 2 });
  const big = { ...HELLO, padding: 'x'.repeat(1024 ** 2) };
  const announced = await postJson(`${url}/v1/chat/completions`, big);
  expect(announced.status).toBe(413);
  expect(await announced.json()).toMatchObject({
    error: { code: 'payload_too_large', message: 'The body is larger than 1 MiB.' },
  });
  const chunked = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new Blob([JSON.stringify(big)]).stream(),
    duplex: 'half',
  });
  expect(chunked.status).toBe(413);
  expect(ports.generations).toEqual([]);
});

test('a body of 31 MiB is read', async () => {
  const { url, ports } = await listening();
  ports.engine = answering('ok');
  const content = 'x'.repeat(31 * 1024 ** 2);
  const response = await postJson(`${url}/v1/chat/completions`, { messages: [{ role: 'user', content }] });
  expect(response.status).toBe(200);
});

/** Sends bytes and gives all that comes back until the server hangs up. */
async function exchangeBytes(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  let text = '';
  for await (const piece of socket) text += String(piece);
  return text;
}

test('what is not HTTP is answered in JSON and hung up on', async () => {
  const { port } = await listening();
  expect(await exchangeBytes(port, 'nonsense\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 400 .*"code":"invalid_request"/s,
  );
  const tooMany = `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
  expect(await exchangeBytes(port, tooMany)).toMatch(/^HTTP\/1\.1 431 /);
});

test('a slow sender is cut off, while others are answered', async () => {
  const { url, port } = await listening({ headersTimeoutMs: 50, requestTimeoutMs: 100 });
  const slowHeaders = exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: loc');
  const slowBody = exchangeBytes(
    port,
    `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
  );
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect(await slowHeaders).toMatch(/^HTTP\/1\.1 408 /);
  expect(await slowBody).toMatch(/^HTTP\/1\.1 408 /);
});

test('connections over the limit are refused, and the others still served', async () => {
  const { url, port } = await listening({ maxConnections: 2 });
  const held = connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => held.once('connect', resolve));
  expect((await fetch(`${url}/health`, { headers: { connection: 'close' } })).status).toBe(200);
  const second = connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => second.once('connect', resolve));
  const third = connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => third.once('close', () => resolve()));
  held.destroy();
  second.destroy();
});

test('a port in use is named, and no other one taken', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { gateway } = harness();
  await expect(gateway.listen('127.0.0.1', port)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`port ${port} is in use by another program; `),
  });
  other.close();
});

test('an address of another machine is refused in words', async () => {
  const { gateway, ports } = harness();
  ports.apiKeys = [apiKey('k')];
  await expect(gateway.listen('192.0.2.1', 0)).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('192.0.2.1'),
  });
});

test('other machines are let in only with a key', async () => {
  const { gateway, ports, logged } = harness();
  await expect(gateway.listen('0.0.0.0', 0)).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('server.apiKeys'),
  });
  ports.apiKeys = [apiKey('k')];
  const other = createGateway(ports, { clock: harness().clock, log: { warn: () => {}, error: () => {} } });
  const { url, port } = await other.listen('0.0.0.0', 0);
  expect(url).toBe(`http://127.0.0.1:${port}`);
  await other.close();
  expect(logged).toEqual([]);
});
