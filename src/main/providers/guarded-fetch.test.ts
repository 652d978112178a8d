import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { type Fetch, guardedFetch } from './guarded-fetch.ts';

const TIMEOUT_MS = 5000;

interface Server {
  readonly url: string;
  readonly clock: ManualClock;
  /** The guarded fetch, for this server. */
  readonly ask: Fetch;
  /** Resolves when a client has gone away. */
  readonly closed: Promise<void>;
}

async function serving(listener: RequestListener, maxBytes = 1e6): Promise<Server> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    response.once('close', resolve);
    listener(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clock = new ManualClock();
  const ask = guardedFetch({ fetch, clock, provider: 'cloud', origin: url, timeoutMs: TIMEOUT_MS, maxBytes });
  return { url, clock, ask, closed };
}

test('an answer passes as it is', async () => {
  const { url, ask, clock } = await serving((_, response) =>
    response.writeHead(418, { 'x-kind': 'teapot' }).end('short and stout'),
  );
  const response = await ask(`${url}/v1/tea`);
  expect(response.status).toBe(418);
  expect(response.headers.get('x-kind')).toBe('teapot');
  expect(await response.text()).toBe('short and stout');
  expect(clock.pendingTimers).toBe(0);
});

describe('the key goes nowhere else:', () => {
  test.each([
    ['another port', (url: string) => `${url.replace(/:\d+/, ':1')}/v1/chat`],
    ['another host', () => 'https://evil.example/v1/chat'],
    ['another scheme', (url: string) => `${url.replace('http:', 'https:')}/v1/chat`],
  ])('%s is not asked', async (_, addressOf) => {
    let asked = 0;
    const { url, ask } = await serving((__, response) => {
      asked++;
      response.end();
    });
    await expect(ask(addressOf(url), { headers: { authorization: 'Bearer key' } })).rejects.toThrow(
      'is not asked',
    );
    expect(asked).toBe(0);
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
    const paths: string[] = [];
    const { url, ask } = await serving((request, response) => {
      paths.push(request.url ?? '');
      response.writeHead(status, { location: '/v1/elsewhere' }).end();
    });
    await expect(ask(`${url}/v1/chat`, { method: 'POST', body: '{}' })).rejects.toMatchObject({
      code: 'provider_error',
      message: expect.stringContaining(`redirects (${status})`),
    });
    expect(paths).toEqual(['/v1/chat']);
  });
});

describe('nothing for as long as the time-out:', () => {
  test('no answer at all', async () => {
    const arrived = Promise.withResolvers<void>();
    const { url, ask, clock, closed } = await serving(() => arrived.resolve());
    const asked = ask(`${url}/v1/chat`);
    await arrived.promise;
    clock.advance(TIMEOUT_MS);
    await expect(asked).rejects.toMatchObject({
      code: 'provider_timeout',
      message: expect.stringContaining('5.0 s'),
    });
    await closed;
  });

  test('an answer that stops in the middle', async () => {
    const { url, ask, clock, closed } = await serving((_, response) => response.write('half'));
    const response = await ask(`${url}/v1/chat`);
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('half');
    const rest = reader?.read();
    await clock.untilTimers(1);
    clock.advance(TIMEOUT_MS);
    await expect(rest).rejects.toMatchObject({ code: 'provider_timeout' });
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });

  test('but not an answer that nobody reads', async () => {
    const { url, ask, clock } = await serving((_, response) => {
      response.write('first');
      response.end('second');
    });
    const response = await ask(`${url}/v1/chat`);
    clock.advance(10 * TIMEOUT_MS);
    expect(await response.text()).toBe('firstsecond');
  });
});

test('whoever asked goes away: so does the connection', async () => {
  const { url, ask, closed } = await serving((_, response) => response.write('half'));
  const gone = new AbortController();
  const response = await ask(`${url}/v1/chat`, { signal: gone.signal });
  const text = response.text();
  gone.abort(new Error('gone'));
  await expect(text).rejects.toThrow('gone');
  await closed;
});

test('an answer that is left unread is ended', async () => {
  const { url, ask, closed } = await serving((_, response) => response.write('half'));
  const response = await ask(`${url}/v1/chat`);
  await response.body?.cancel();
  await closed;
});

test('a connection that breaks is an error, not an end', async () => {
  const { url, ask } = await serving((_, response) => {
    response.write('half', () => response.destroy());
  });
  const response = await ask(`${url}/v1/chat`);
  await expect(response.text()).rejects.toMatchObject({ code: 'provider_error' });
});

test('an answer without end is ended', async () => {
  const { url, ask, closed } = await serving((_, response) => response.write('x'.repeat(2000)), 1000);
  const response = await ask(`${url}/v1/chat`);
  await expect(response.text()).rejects.toMatchObject({
    code: 'provider_error',
    message: expect.stringContaining('1000'),
  });
  await closed;
});

test('nobody there', async () => {
  const clock = new ManualClock();
  const origin = 'http://127.0.0.1:1';
  const ask = guardedFetch({ fetch, clock, provider: 'cloud', origin, timeoutMs: TIMEOUT_MS, maxBytes: 1 });
  const asked = ask(`${origin}/chat`, { headers: { authorization: 'Bearer sk-secret' } });
  await expect(asked).rejects.toMatchObject({
    code: 'provider_error',
    message: expect.stringContaining(origin),
  });
  expect(clock.pendingTimers).toBe(0);
});
