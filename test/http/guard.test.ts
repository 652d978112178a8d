import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { answering, apiKey } from '../fakes/fake-gateway-ports.ts';
import { type Harness, HELLO, harness, listening } from './harness.ts';

/** One address of every kind of route: what is refused must be refused on all of them, also where there is nothing. */
const ADDRESSES = [
  ['GET', '/v1/models'],
  ['GET', '/models/demo'],
  ['POST', '/v1/chat/completions'],
  ['POST', '/completions'],
  ['GET', '/health'],
  ['GET', '/admin/models/list'],
  ['POST', '/admin/models/load'],
  ['GET', '/admin/events'],
  ['GET', '/admin/decisions'],
  ['GET', '/'],
  ['HEAD', '/'],
  ['GET', '/assets/app.js'],
  ['POST', '/nothing/here'],
  ['DELETE', '/v1/models'],
  ['OPTIONS', '/v1/models'],
  ['GET', '/%zz'],
] as const;

type Headers = Readonly<Record<string, string>>;

function ask(
  { gateway }: Harness,
  method: (typeof ADDRESSES)[number][0],
  url: string,
  headers: Headers,
  from = '127.0.0.1',
) {
  return gateway.inject({
    method,
    url,
    headers: method === 'POST' ? { 'content-type': 'application/json', ...headers } : headers,
    remoteAddress: from,
    ...(method === 'POST' ? { payload: '{}' } : {}),
  });
}

const FOREIGN_HOSTS = [
  'evil.example',
  'localhost.evil.example',
  'localhost.',
  'localhost:81',
  'localhost:4141',
  '127.0.0.1:8080',
  '127.0.0.2',
  '127.1',
  '0.0.0.0',
  '::1',
  '[::1',
  '[::2]',
  'user@localhost',
  'localhost:80:80',
  'localhost/evil',
  'ok.example:9999',
];

test.each(FOREIGN_HOSTS)('the host %j is refused everywhere', async (host) => {
  const made = harness();
  made.ports.allowedHosts = ['ok.example:8443'];
  for (const [method, url] of ADDRESSES) {
    const response = await ask(made, method, url, { host });
    expect([method, url, response.statusCode]).toEqual([method, url, 403]);
    if (method === 'HEAD') continue;
    expect(response.json()).toMatchObject({ error: { code: 'host_not_allowed', type: 'permission_error' } });
    expect(response.json().error.message).toContain('server.allowedHosts');
    expect(response.headers['x-request-id']).toMatch(/^req_/);
  }
});

test.each([
  'localhost',
  'LOCALHOST:80',
  '127.0.0.1',
  '127.0.0.1:80',
  '[::1]',
  '[::1]:80',
  'box.local',
  'box.local:9',
  'ok.example:8443',
  '[fd00::1]:80',
])('the host %j is answered', async (host) => {
  const made = harness();
  made.ports.allowedHosts = ['box.local', 'OK.example:8443', 'fd00::1'];
  expect((await ask(made, 'GET', '/v1/models', { host })).statusCode).toBe(200);
});

test('over a socket: the port that is listened on counts, and exactly one Host is needed', async () => {
  const { port } = await listening();
  const status = async (...lines: string[]): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${['GET /health HTTP/1.1', ...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
    let text = '';
    for await (const piece of socket) text += String(piece);
    return text.split(' ')[1] ?? '';
  };
  expect(await status(`Host: localhost:${port}`)).toBe('200');
  expect(await status(`Host: [::1]:${port}`)).toBe('200');
  expect(await status('Host: localhost')).toBe('403');
  expect(await status()).toBe('403');
  expect(await status('Host:')).toBe('403');
  expect(await status(`Host: localhost:${port}`, 'Host: evil.example')).toBe('403');
  expect(await status('Host: evil.example', `X-Forwarded-Host: localhost:${port}`)).toBe('403');
});

const FOREIGN_SOURCES: Headers[] = [
  { origin: 'null' },
  { origin: 'https://evil.example' },
  { origin: 'http://localhost:81' },
  { origin: 'http://localhost:5173' },
  { origin: 'https://localhost' },
  { origin: 'http://127.0.0.1' },
  { origin: 'http://localhost.evil.example' },
  { origin: 'http://localhost@evil.example' },
  { origin: '' },
  { origin: 'https://ok.example.evil.example' },
  { origin: 'http://ok.example' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'something-new' },
  { origin: 'http://localhost', 'sec-fetch-site': 'cross-site' },
];

test.each(FOREIGN_SOURCES)(
  'a request with %j is refused everywhere, and its origin never reflected',
  async (headers) => {
    const made = harness();
    made.ports.allowedOrigins = ['https://ok.example', 'null', '*'];
    for (const [method, url] of ADDRESSES) {
      const response = await ask(made, method, url, { host: 'localhost', ...headers });
      expect([method, url, response.statusCode]).toEqual([method, url, 403]);
      expect(response.headers['access-control-allow-origin']).toBeUndefined();
      if (method !== 'HEAD') expect(response.json().error.code).toBe('origin_not_allowed');
    }
  },
);

test.each<Headers>([
  {},
  { 'sec-fetch-site': 'none' },
  { 'sec-fetch-site': 'same-origin' },
  { origin: 'http://localhost', 'sec-fetch-site': 'same-origin' },
  { origin: 'http://LOCALHOST:80' },
])('a request of a program or of the own page is answered: %j', async (headers) => {
  const response = await ask(harness(), 'GET', '/v1/models', { host: 'localhost', ...headers });
  expect(response.statusCode).toBe(200);
  expect(response.headers['access-control-allow-origin']).toBeUndefined();
});

test('behind a proxy that speaks HTTPS the page’s own origin is its allowed host', async () => {
  const made = harness();
  made.ports.allowedHosts = ['box.example'];
  const from = (origin: string) => ask(made, 'GET', '/v1/models', { host: 'box.example', origin });
  expect((await from('https://box.example')).statusCode).toBe(200);
  expect((await from('https://box.example:8443')).statusCode).toBe(403);
});

test('an allowed origin may ask, from another site too, and read the answer and its errors', async () => {
  const made = harness();
  made.ports.allowedOrigins = ['https://ok.example', 'vscode-webview://abc'];
  made.ports.apiKeys = [apiKey('k')];
  for (const origin of made.ports.allowedOrigins) {
    const headers = { host: 'localhost', origin, 'sec-fetch-site': 'cross-site' };
    for (const [key, status] of [
      ['k', 200],
      ['wrong', 401],
    ] as const) {
      const response = await ask(made, 'GET', '/v1/models', { ...headers, authorization: `Bearer ${key}` });
      expect(response.statusCode).toBe(status);
      expect(response.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
      expect(response.headers['access-control-allow-credentials']).toBeUndefined();
    }
  }
});

test('a preflight is answered for an allowed origin only, without a key', async () => {
  const made = harness();
  made.ports.allowedOrigins = ['https://ok.example'];
  made.ports.apiKeys = [apiKey('k')];
  const preflight = (origin: string) =>
    ask(made, 'OPTIONS', '/v1/chat/completions', {
      host: 'localhost',
      origin,
      'sec-fetch-site': 'cross-site',
      'access-control-request-method': 'POST',
      'access-control-request-headers':
        'authorization,content-type,x-stainless-os,x-stainless-retry-count,x-evil',
    });
  const allowed = await preflight('https://ok.example');
  expect(allowed.statusCode).toBe(204);
  expect(allowed.headers['access-control-allow-origin']).toBe('https://ok.example');
  const names = String(allowed.headers['access-control-allow-headers']).split(', ');
  expect(names).toEqual(
    expect.arrayContaining(['authorization', 'content-type', 'x-stainless-os', 'x-stainless-retry-count']),
  );
  expect(names).not.toContain('x-evil');
  expect(allowed.headers['access-control-allow-methods']).toBe('GET, HEAD, POST');
  expect((await preflight('https://evil.example')).statusCode).toBe(403);
  expect((await preflight('http://localhost')).statusCode).toBe(403);
});

test.each([
  undefined,
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonp',
])('a POST of %s is refused before anything happens', async (type) => {
  const { gateway, ports } = harness();
  for (const url of ['/v1/chat/completions', '/completions', '/admin/models/load', '/nothing']) {
    const response = await gateway.inject({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${ports.adminToken}`, ...(type ? { 'content-type': type } : {}) },
      payload: JSON.stringify(HELLO),
    });
    expect([url, response.statusCode]).toEqual([url, 415]);
    expect(response.json()).toMatchObject({ error: { code: 'unsupported_media_type' } });
  }
  expect(ports.generations).toEqual([]);
  expect(ports.calls).toEqual([]);
});

test('a compressed body is refused', async () => {
  const response = await ask(harness(), 'POST', '/v1/chat/completions', { 'content-encoding': 'gzip' });
  expect(response.statusCode).toBe(415);
});

test('JSON may name its character set', async () => {
  const { gateway, ports } = harness();
  ports.engine = answering('Hi');
  const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
  const response = await gateway.inject({
    method: 'POST',
    url: '/v1/chat/completions',
    headers,
    payload: JSON.stringify(HELLO),
  });
  expect(response.statusCode).toBe(200);
});

const KEYS = [apiKey('sk-ann', { name: 'ann' }), apiKey('sk-root', { name: 'root', admin: true })];

test.each<{ keys: boolean; from: string; headers: Headers; api: number; admin: number }>([
  { keys: false, from: '127.0.0.1', headers: {}, api: 200, admin: 401 },
  { keys: false, from: '::1', headers: {}, api: 200, admin: 401 },
  {
    keys: false,
    from: '::ffff:127.0.0.1',
    headers: { authorization: 'Bearer anything' },
    api: 200,
    admin: 401,
  },
  { keys: false, from: '192.168.1.7', headers: {}, api: 401, admin: 401 },
  {
    keys: false,
    from: '192.168.1.7',
    headers: { authorization: 'Bearer the-admin-token' },
    api: 401,
    admin: 200,
  },
  {
    keys: false,
    from: '127.0.0.1',
    headers: { authorization: 'Bearer the-admin-token' },
    api: 200,
    admin: 200,
  },
  { keys: true, from: '127.0.0.1', headers: {}, api: 401, admin: 401 },
  { keys: true, from: '127.0.0.1', headers: { authorization: 'Bearer ' }, api: 401, admin: 401 },
  { keys: true, from: '127.0.0.1', headers: { authorization: 'Bearer sk-an' }, api: 401, admin: 401 },
  { keys: true, from: '127.0.0.1', headers: { authorization: 'Bearer sk-ann' }, api: 200, admin: 401 },
  { keys: true, from: '127.0.0.1', headers: { authorization: 'bearer  sk-ann' }, api: 200, admin: 401 },
  { keys: true, from: '127.0.0.1', headers: { authorization: 'Basic sk-ann' }, api: 401, admin: 401 },
  { keys: true, from: '127.0.0.1', headers: { 'x-api-key': 'sk-ann' }, api: 200, admin: 401 },
  { keys: true, from: '127.0.0.1', headers: { 'x-api-key': 'sk-root' }, api: 200, admin: 200 },
  { keys: true, from: '10.0.0.9', headers: { authorization: 'Bearer sk-root' }, api: 200, admin: 200 },
  { keys: true, from: '127.0.0.1', headers: { cookie: 'sk-root' }, api: 401, admin: 401 },
])('who may ask: $keys $from $headers', async ({ keys, from, headers, api, admin }) => {
  const made = harness();
  made.ports.apiKeys = keys ? KEYS : [];
  const status = async (url: string) => (await ask(made, 'GET', url, headers, from)).statusCode;
  expect(await status('/v1/models')).toBe(api);
  expect(await status('/admin/models/list')).toBe(admin);
  expect(await status('/health')).toBe(200);
  expect(await status('/')).toBe(200);
});

test('the hash of a key does not open what the key does', async () => {
  const made = harness();
  const key = apiKey('sk-root', { admin: true });
  made.ports.apiKeys = [key];
  for (const shown of [key.sha256, `sha256:${key.sha256}`, key.sha256.toUpperCase()]) {
    const headers = { authorization: `Bearer ${shown}` };
    expect((await ask(made, 'GET', '/v1/models', headers)).statusCode).toBe(401);
    expect((await ask(made, 'GET', '/admin/models/list', headers)).statusCode).toBe(401);
  }
});

test('an empty key or an empty admin token opens nothing', async () => {
  const made = harness();
  made.ports.adminToken = '';
  made.ports.apiKeys = [apiKey('', { admin: true })];
  for (const headers of [{}, { authorization: 'Bearer ' }, { 'x-api-key': '' }, { 'x-api-key': ' ' }]) {
    expect((await ask(made, 'GET', '/v1/models', headers)).statusCode).toBe(401);
    expect((await ask(made, 'GET', '/admin/models/list', headers)).statusCode).toBe(401);
  }
});

test('edited settings hold for the next request', async () => {
  const made = harness();
  expect((await ask(made, 'GET', '/v1/models', { host: 'box.local' })).statusCode).toBe(403);
  made.ports.allowedHosts = ['box.local'];
  expect((await ask(made, 'GET', '/v1/models', { host: 'box.local' })).statusCode).toBe(200);
});
