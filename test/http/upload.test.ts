import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Uploads } from '../../src/main/config/uploads.ts';
import type { GatewayOptions } from '../../src/main/gateway/gateway.ts';
import { apiKey } from '../fakes/fake-gateway-ports.ts';
import { listening, postJson } from './harness.ts';

/* Files as they come over a real connection, into a real folder. */

const DEMO = readFileSync(resolve('resources/models/roundhouse-demo.gguf'));
const TOKEN = { authorization: 'Bearer the-admin-token' };
const BYTES = { ...TOKEN, 'content-type': 'application/octet-stream' };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-upload-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function serving(options: Partial<GatewayOptions> = {}, freeBytes?: () => Promise<number>) {
  const made = await listening(options);
  const uploads = await Uploads.open(join(dir, 'models'), freeBytes);
  /** How each upload that reached the folder went. */
  const received: Promise<unknown>[] = [];
  const begun = Promise.withResolvers<void>();
  /** Resolves when the folder asks for what comes after the first piece. */
  const waiting = Promise.withResolvers<void>();
  made.ports.uploads = {
    receive(file, signal) {
      async function* body(): AsyncGenerator<Uint8Array> {
        for await (const chunk of file.body) {
          yield chunk;
          waiting.resolve();
        }
      }
      const receiving = uploads.receive({ ...file, body: body() }, signal);
      received.push(receiving.catch((error: unknown) => error));
      begun.resolve();
      return receiving;
    },
  };
  return {
    ...made,
    received,
    begun: begun.promise,
    waiting: waiting.promise,
    address: `${made.url}/admin/models/upload`,
  };
}

function put(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { method: 'POST', headers: BYTES, body: DEMO, ...init });
}

/** The error of a refusal, as the body holds it. */
async function errorOf(response: Response): Promise<{ code: string; message: string; param: string | null }> {
  return JSON.parse(await response.text()).error;
}

const stored = () => readdirSync(dir, { recursive: true }).filter((name) => name !== 'models');

/** An upload that is sent piece by piece, and may never end. */
function sending(url: string, headers: Readonly<Record<string, string>> = {}) {
  const call: ClientRequest = request(url, { method: 'POST', headers: { ...BYTES, ...headers } });
  // What a connection that is cut says on this side differs; the tests look at the other side.
  call.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => call.once('close', () => resolve()));
  const answered = once(call, 'response').then(async ([response]: IncomingMessage[]) => {
    let text = '';
    for await (const chunk of response ?? []) text += String(chunk);
    return { status: response?.statusCode, body: JSON.parse(text) };
  });
  answered.catch(() => undefined);
  return { call, answered, closed };
}

test('the demo model arrives whole, far above the limit for other bodies', async () => {
  const { address, url } = await serving({ bodyLimitBytes: 1024 });
  for (const name of ['my demo.gguf', 'my demo-2.gguf']) {
    const response = await put(`${address}?name=my%20demo.gguf`);
    const path = join(dir, 'models', name);
    expect([response.status, await response.json()]).toEqual([200, { path }]);
    expect(readFileSync(path).equals(DEMO)).toBe(true);
  }
  expect((await postJson(`${url}/v1/completions`, { prompt: 'x'.repeat(2000) })).status).toBe(413);
});

test('a body that does not say its length is taken too', async () => {
  const { address } = await serving();
  const { call, answered } = sending(`${address}?name=x.gguf`);
  for (let start = 0; start < DEMO.length; start += 500_000)
    call.write(DEMO.subarray(start, start + 500_000));
  call.end();
  expect(await answered).toEqual({ status: 200, body: { path: join(dir, 'models', 'x.gguf') } });
  expect(readFileSync(join(dir, 'models', 'x.gguf')).equals(DEMO)).toBe(true);
});

test('a name never leads out of the folder', async () => {
  const { address } = await serving();
  const response = await put(`${address}?name=${encodeURIComponent('../../evil.gguf')}`);
  expect(await response.json()).toEqual({ path: join(dir, 'models', 'evil.gguf') });
  expect(stored()).toEqual([join('models', 'evil.gguf')]);
});

test('a client that leaves half-way leaves nothing behind', async () => {
  const { address, received, waiting, logged } = await serving();
  const { call } = sending(`${address}?name=x.gguf`, { 'content-length': String(DEMO.length) });
  call.write(DEMO.subarray(0, 1_000_000));
  await waiting;
  expect(stored()).toEqual([join('models', '.upload-1.part')]);
  call.destroy();
  expect(await received[0]).toMatchObject({ code: 'cancelled' });
  expect(stored()).toEqual([]);
  expect(logged).toEqual([]);
});

test('a wrong file is refused at its start; the sender gets to read why, then is cut off', async () => {
  const { address, clock } = await serving();
  const { call, answered, closed } = sending(`${address}?name=x.gguf`, { 'content-length': '5000000000' });
  call.write('PK\u0003\u0004 a zip file, and a large one, of which more is to come');
  expect(await answered).toMatchObject({
    status: 400,
    body: { error: { code: 'gguf_invalid', message: expect.stringContaining('x.gguf starts with "PK..') } },
  });
  expect(stored()).toEqual([]);
  call.write('more');
  await clock.untilTimers(1);
  clock.advance(2000);
  await closed;
  expect(clock.pendingTimers).toBe(0);
});

test('a sender that stalls is given up after a minute', async () => {
  const { address, clock, received, waiting } = await serving();
  const { call, answered } = sending(`${address}?name=x.gguf`);
  call.write(DEMO.subarray(0, 1000));
  await waiting;
  await clock.untilTimers(1);
  clock.advance(60_000);
  expect(await received[0]).toMatchObject({
    code: 'cancelled',
    message: 'nothing came for a minute before the whole file had arrived',
  });
  expect((await answered).status).toBe(499);
  expect(stored()).toEqual([]);
  call.destroy();
});

test('a file may take longer than other requests to arrive', async () => {
  const { address, url, begun } = await serving({ headersTimeoutMs: 50, requestTimeoutMs: 100 });
  const upload = sending(`${address}?name=x.gguf`, { 'content-length': String(DEMO.length) });
  upload.call.write(DEMO.subarray(0, 1000));
  await begun;
  // Begun later, so that when this one is told that its time is over, so was the upload.
  const other = sending(`${url}/v1/completions`, {
    'content-type': 'application/json',
    'content-length': '9',
  });
  other.call.write('{');
  expect((await other.answered).status).toBe(408);
  upload.call.end(DEMO.subarray(1000));
  expect((await upload.answered).status).toBe(200);
});

test('closing the port ends an upload, and nothing of it stays', async () => {
  const { address, gateway, received, waiting } = await serving();
  const { call } = sending(`${address}?name=x.gguf`);
  call.write(DEMO.subarray(0, 1000));
  await waiting;
  await gateway.close();
  expect(await received[0]).toMatchObject({ code: 'shutting_down' });
  expect(stored()).toEqual([]);
});

test('a file that the disk has no room for is refused with the numbers before it is sent', async () => {
  const { address } = await serving({}, async () => 2 * 1024 ** 3);
  const { call, answered } = sending(`${address}?name=x.gguf`, { 'content-length': String(5 * 1024 ** 3) });
  call.flushHeaders();
  expect(await answered).toMatchObject({
    status: 413,
    body: { error: { message: expect.stringContaining('The file of 5.0 GiB does not fit') } },
  });
  call.destroy();
});

test.each([
  ['no token', {}],
  ['a wrong token', { authorization: 'Bearer the-wrong-token' }],
  ['a key that is not for the admin interface', { authorization: 'Bearer plain-key' }],
])('with %s nothing is taken', async (_, headers) => {
  const { address, ports, received } = await serving();
  ports.apiKeys = [apiKey('plain-key')];
  const { call, answered } = sending(`${address}?name=x.gguf`, { authorization: '', ...headers });
  call.end('GGUF');
  expect((await answered).status).toBe(401);
  expect([received, stored()]).toEqual([[], []]);
});

test('a page of another site cannot upload', async () => {
  const { address, received } = await serving();
  const headers = { ...BYTES, origin: 'https://evil.example' };
  expect((await put(`${address}?name=x.gguf`, { headers, body: 'GGUF' })).status).toBe(403);
  expect(received).toEqual([]);
});

test.each(['application/json', 'multipart/form-data; boundary=x', 'text/plain', ''])(
  'a body sent as %j is refused',
  async (type) => {
    const { address, received } = await serving();
    const headers = { ...TOKEN, 'content-type': type };
    const response = await put(`${address}?name=x.gguf`, { headers, body: '{}' });
    expect(response.status).toBe(415);
    expect((await errorOf(response)).message).toContain('"Content-Type: application/octet-stream"');
    expect(received).toEqual([]);
  },
);

test.each(['/v1/chat/completions', '/admin/models/add', '/admin/nothing'])(
  '%s takes no such bodies',
  async (path) => {
    const { url } = await serving();
    const response = await put(`${url}${path}`, { body: '{}' });
    expect([response.status, (await errorOf(response)).code]).toEqual([415, 'unsupported_media_type']);
  },
);

test.each(['', '?name=', '?name=a.gguf&name=b.gguf', '?name=notes.txt'])(
  'the name in %j is refused',
  async (query) => {
    const { address } = await serving();
    const response = await put(`${address}${query}`, { body: 'GGUF' });
    expect([response.status, (await errorOf(response)).param]).toEqual([400, 'name']);
    expect(stored()).toEqual([]);
  },
);

test('the address takes POST alone', async () => {
  const { address } = await serving();
  const response = await fetch(address, { headers: TOKEN });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
});
