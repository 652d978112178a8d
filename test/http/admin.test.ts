import { expect, test } from 'vitest';
import type { AppEvent } from '../../src/shared/contract.ts';
import { RoundhouseError } from '../../src/shared/errors.ts';
import { modelView, snapshot } from '../fakes/fake-gateway-ports.ts';
import { type Harness, harness, listening } from './harness.ts';

function call(
  { gateway, ports }: Harness,
  method: 'GET' | 'POST',
  url: string,
  payload: object | null = null,
) {
  return gateway.inject({
    method,
    url,
    headers: {
      authorization: `Bearer ${ports.adminToken}`,
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(payload === null ? {} : { payload }),
  });
}

test('calls go through with their input, and their answer comes back', async () => {
  const made = harness();
  made.ports.callResult = modelView('demo');
  const response = await call(made, 'POST', '/admin/models/load', { id: 'demo' });
  expect([response.statusCode, response.json()]).toEqual([200, modelView('demo')]);
  expect(made.ports.calls).toEqual([{ name: 'models.load', input: { id: 'demo' } }]);
});

test('calls that only read can be asked with GET', async () => {
  const made = harness();
  made.ports.callResult = snapshot([]);
  for (const method of ['GET', 'POST'] as const) {
    const response = await call(made, method, '/admin/app/snapshot', method === 'POST' ? {} : null);
    expect([response.statusCode, response.json()]).toEqual([200, snapshot([])]);
  }
  expect((await call(made, 'GET', '/admin/models/list?id=5')).statusCode).toBe(400);
});

test('GET /admin/decisions gives what decisions.list does, to whom may ask', async () => {
  const made = harness();
  const decisions = [{ id: 1, atMs: 5, modelId: 'demo', text: 'Loaded demo in 12 ms.' }];
  made.ports.callResult = decisions;
  const response = await call(made, 'GET', '/admin/decisions');
  expect([response.statusCode, response.json()]).toEqual([200, decisions]);
  expect(made.ports.calls).toEqual([{ name: 'decisions.list', input: {} }]);
  expect((await call(made, 'POST', '/admin/decisions', {})).headers.allow).toBe('GET, HEAD');
  expect((await made.gateway.inject('/admin/decisions')).statusCode).toBe(401);
});

test.each([
  [{ contextSize: -5 }, '"settings.contextSize" must be at least 64, not -5.'],
  [{ contextSize: 1e12 }, '"settings.contextSize" must be at most 1048576, not 1000000000000.'],
  [{ contextSize: 0.5 }, '"settings.contextSize" must be a whole number, not 0.5.'],
  [{ contextSize: '8k' }, '"settings.contextSize" must be a number, not "8k".'],
  [{ parallel: 0 }, '"settings.parallel" must be at least 1, not 0.'],
  [{ batchSize: 2 ** 53 }, '"settings.batchSize" must be at most 16384, not 9007199254740992.'],
  [{ cacheType: 'f64' }, '"settings.cacheType" is not valid: '],
])('an absurd size %j is refused with the limit', async (settings, message) => {
  const made = harness();
  for (const url of ['/admin/models/estimate', '/admin/models/add']) {
    const response = await call(made, 'POST', url, { path: '/m.gguf', settings });
    expect(response.statusCode).toBe(400);
    expect(response.json().error.message).toContain(message);
  }
  expect(made.ports.calls).toEqual([]);
});

test('a size that no number can hold is refused too', async () => {
  const { gateway } = harness();
  const response = await gateway.inject({
    method: 'POST',
    url: '/admin/models/estimate',
    headers: adminHeaders,
    payload: '{"path":"/m.gguf","settings":{"contextSize":1e999}}',
  });
  expect([response.statusCode, response.json().error.message]).toEqual([
    400,
    '"settings.contextSize" must be a number, not a number too large to represent.',
  ]);
});

test.each([
  [{}, 'id'],
  [{ id: '' }, 'id'],
  [{ id: 5 }, 'id'],
])('a wrong input %j is refused and names %s', async (payload, param) => {
  const made = harness();
  const response = await call(made, 'POST', '/admin/models/load', payload);
  expect([response.statusCode, response.json().error.param]).toEqual([400, param]);
  expect(made.ports.calls).toEqual([]);
});

test('an input with an unknown key is refused and names it', async () => {
  const response = await call(harness(), 'POST', '/admin/models/load', { id: 'demo', force: true });
  expect([response.statusCode, response.json().error.message]).toEqual([400, '"force" is not known here.']);
});

test('a call that fails has its status and its words', async () => {
  const made = harness();
  made.ports.callResult = new RoundhouseError('gguf_invalid', 'It is not a GGUF file.');
  const response = await call(made, 'POST', '/admin/models/add', { path: '/a.txt' });
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({
    error: { code: 'gguf_invalid', message: 'It is not a GGUF file.' },
  });
});

const adminHeaders = { authorization: 'Bearer the-admin-token', 'content-type': 'application/json' };
const chatInput = {
  model: 'demo',
  messages: [{ role: 'user', content: 'Hi' }],
  maxTokens: null,
  sampling: {},
};

test('a chat gives its parts as they are, errors too', async () => {
  const { gateway, ports } = harness();
  const overflow = new RoundhouseError('context_length_exceeded', 'Too long.', {
    param: 'messages',
  }).toJSON();
  ports.adminParts = async function* () {
    yield { type: 'text-delta', text: 'Hi' };
    yield { type: 'error', error: overflow };
  };
  const response = await gateway.inject({
    method: 'POST',
    url: '/admin/chat/generate',
    headers: adminHeaders,
    payload: chatInput,
  });
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  expect(response.body).toBe(
    `data: {"type":"text-delta","text":"Hi"}\n\ndata: ${JSON.stringify({ type: 'error', error: overflow })}\n\n`,
  );
});

test('a chat with a wrong input is refused with its status', async () => {
  const { gateway } = harness();
  const payload = { ...chatInput, messages: [] };
  const response = await gateway.inject({
    method: 'POST',
    url: '/admin/chat/generate',
    headers: adminHeaders,
    payload,
  });
  expect([response.statusCode, response.json().error.param]).toEqual([400, 'messages']);
});

test('a page that leaves its chat stops it', async () => {
  const { url, ports } = await listening();
  const aborted = Promise.withResolvers<void>();
  ports.adminParts = async function* (signal) {
    signal.addEventListener('abort', () => aborted.resolve());
    yield { type: 'text-delta', text: 'Hi' };
    await aborted.promise;
  };
  const leaving = new AbortController();
  const init = {
    method: 'POST',
    headers: adminHeaders,
    body: JSON.stringify(chatInput),
    signal: leaving.signal,
  };
  const response = await fetch(`${url}/admin/chat/generate`, init);
  expect(response.status).toBe(200);
  leaving.abort();
  await aborted.promise;
});

async function events(url: string, signal: AbortSignal | null = null) {
  const response = await fetch(`${url}/admin/events`, {
    headers: { authorization: 'Bearer the-admin-token' },
    signal,
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  /** The next frame, without the blank line at its end. */
  return async (): Promise<string> => {
    while (!held.includes('\n\n')) {
      const next = await reader?.read();
      if (next?.done !== false) throw new Error('the events ended');
      held += next.value;
    }
    const end = held.indexOf('\n\n');
    const frame = held.slice(0, end);
    held = held.slice(end + 2);
    return frame;
  };
}

test('events begin with a snapshot, go on with changes, and show every 15 s that they live', async () => {
  const { url, ports, clock } = await listening();
  const next = await events(url);
  const first: AppEvent = { type: 'snapshot', snapshot: snapshot(ports.list) };
  expect(await next()).toBe(`data: ${JSON.stringify(first)}`);
  const change: AppEvent = { type: 'model', model: modelView('two\nlines') };
  for (const listener of ports.listeners) listener(change);
  expect(await next()).toBe(`data: ${JSON.stringify(change)}`);
  clock.advance(15_000);
  expect(await next()).toBe(': alive');
});

test('whoever leaves is not told any more, and leaves no timer', async () => {
  const { url, ports, clock } = await listening();
  const leaving = new AbortController();
  const next = await events(url, leaving.signal);
  await next();
  expect(ports.listeners.size).toBe(1);
  leaving.abort();
  await ports.until(() => ports.listeners.size === 0);
  expect(clock.pendingTimers).toBe(0);
});

test('a page that falls too far behind is cut off', async () => {
  const { url, ports } = await listening();
  const next = await events(url);
  await next();
  const big: AppEvent = { type: 'model', model: modelView('demo', { problem: 'x'.repeat(1024 ** 2) }) };
  for (let count = 0; count < 100 && ports.listeners.size > 0; count += 1) {
    for (const listener of ports.listeners) listener(big);
  }
  await ports.until(() => ports.listeners.size === 0);
});

test('closing cuts the events off', async () => {
  const { url, gateway } = await listening();
  const next = await events(url);
  await next();
  await gateway.close();
  await expect(next()).rejects.toThrow();
});
