import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeGatewayPorts } from '../fakes/fake-gateway-ports.ts';
import { harness, listening } from './harness.ts';

let parent: string;
let dir: string;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'roundhouse-page-'));
  dir = join(parent, 'interface');
  await mkdir(join(dir, 'assets'), { recursive: true });
  await writeFile(
    join(dir, 'index.html'),
    '<!doctype html><html><head lang="en"><title>R</title></head><body></body></html>',
  );
  await writeFile(join(dir, 'assets', 'app-1a2b.js'), 'export {};');
  await writeFile(join(dir, 'favicon.svg'), '<svg/>');
  await writeFile(join(dir, '.hidden.txt'), 'hidden');
  await writeFile(join(dir, 'data.bin'), 'unknown');
  await writeFile(join(parent, 'secret.txt'), 'secret');
});

afterAll(() => rm(parent, { recursive: true }));

function page() {
  const ports = new FakeGatewayPorts();
  ports.interfaceDir = dir;
  ports.allowedHosts = ['box.local'];
  ports.allowedOrigins = ['https://ok.example'];
  return harness({}, ports);
}

const TOKEN = '<meta name="roundhouse-admin-token" content="the-admin-token">';

test.each(['/', '/index.html', '/?x=1'])(
  'the page at %s carries the token for its own machine',
  async (url) => {
    const response = await page().gateway.inject(url);
    expect(response.statusCode).toBe(200);
    expect(response.body).toContain(`<head lang="en">${TOKEN}<title>`);
    expect(response.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    const policy = String(response.headers['content-security-policy']);
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
    ]) {
      expect(policy.split('; ')).toContain(rule);
    }
    expect(policy).not.toContain('unsafe');
  },
);

test.each([
  ['another machine', '192.168.1.7', {}],
  ['another name', '127.0.0.1', { host: 'box.local' }],
  ['an allowed foreign page', '127.0.0.1', { origin: 'https://ok.example' }],
  ['a proxy', '127.0.0.1', { 'x-forwarded-for': '203.0.113.9' }],
  ['another proxy', '127.0.0.1', { forwarded: 'for=203.0.113.9' }],
] as const)('the page for %s has no token', async (_who, remoteAddress, headers) => {
  const response = await page().gateway.inject({ url: '/', remoteAddress, headers: { ...headers } });
  expect(response.statusCode).toBe(200);
  expect(response.body).not.toContain('the-admin-token');
});

test('a token is written so that it cannot end its attribute', async () => {
  const { gateway, ports } = page();
  ports.adminToken = '"><script>';
  const response = await gateway.inject('/');
  expect(response.body).toContain('content="&#34;&#62;&#60;script&#62;"');
});

test('files are served with their type; those named by content are kept for good', async () => {
  const { gateway } = page();
  const script = await gateway.inject('/assets/app-1a2b.js');
  expect(script.body).toBe('export {};');
  expect(script.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
  });
  const icon = await gateway.inject('/favicon.svg');
  expect(icon.headers).toMatchObject({ 'content-type': 'image/svg+xml', 'cache-control': 'no-cache' });
});

test.each([
  '/../secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e/secret.txt',
  '/%2e%2e%2fsecret.txt',
  '/assets/../../secret.txt',
  '/assets/..%2f..%2fsecret.txt',
  '/assets/..%5c..%5csecret.txt',
  '/assets/..\\..\\secret.txt',
  '//secret.txt',
  '//etc/passwd',
  '/secret.txt%00.js',
  '/assets%2fapp-1a2b.js',
  '/.hidden.txt',
  '/assets/.hidden.txt',
  '/data.bin',
  '/assets',
  '/assets/',
  '/missing.js',
])('nothing but the built files: %s', async (url) => {
  const response = await page().gateway.inject(url);
  expect([400, 404]).toContain(response.statusCode);
  expect(response.body).not.toMatch(/hidden\b(?!\.txt)|^secret|root:/);
  expect(response.json().error.code).toMatch(/not_found|invalid_request/);
});

test.each([
  '/../favicon.svg',
  '/assets/../favicon.svg',
  '/./favicon.svg',
  '/assets//app-1a2b.js',
  'favicon.svg',
])('dots that no client has tidied up do not help either: %s', async (path) => {
  const ports = new FakeGatewayPorts();
  ports.interfaceDir = dir;
  const { port } = await listening({}, ports);
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`);
  let text = '';
  for await (const piece of socket) text += String(piece);
  expect(text).toMatch(/^HTTP\/1\.1 40[04] /);
});

test('without a page, / says where the API is', async () => {
  const response = await harness().gateway.inject('/');
  expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
  expect(response.body).toContain('/v1/models');
});

test('a page that was not built says how to build it', async () => {
  const ports = new FakeGatewayPorts();
  ports.interfaceDir = join(dir, 'nowhere');
  const response = await harness({}, ports).gateway.inject('/');
  expect([response.statusCode, response.json().error.message]).toEqual([
    404,
    expect.stringContaining('npm run build'),
  ]);
});
