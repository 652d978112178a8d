import type { IncomingMessage } from 'node:http';

const READABLE =
  'x-request-id, request-id, x-roundhouse-route, x-roundhouse-warning, x-roundhouse-overhead-ms, retry-after, ' +
  'x-should-retry';
const SENDABLE = [
  'authorization',
  'content-type',
  'x-api-key',
  'openai-organization',
  'openai-project',
  'openai-beta',
  'anthropic-version',
  'anthropic-beta',
  'anthropic-dangerous-direct-browser-access',
];

/** What lets a page of an allowed origin read an answer. */
export function corsHeaders(origin: string): Readonly<Record<string, string>> {
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': READABLE,
    vary: 'Origin',
  };
}

/** What a browser asks for before it lets a page of an allowed origin send its request. */
export function preflightHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  const asked = (request.headers['access-control-request-headers'] ?? '').toLowerCase().split(',');
  const ours = asked
    .map((name) => name.trim())
    .filter((name) => /^x-(?:stainless|roundhouse)-[a-z0-9-]+$/.test(name));
  const privateNetwork = request.headers['access-control-request-private-network'] === 'true';
  return {
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-allow-headers': [...SENDABLE, ...ours].join(', '),
    'access-control-max-age': '600',
    ...(privateNetwork ? { 'access-control-allow-private-network': 'true' } : {}),
  };
}

export function isPreflight(request: IncomingMessage): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers.origin !== undefined &&
    request.headers['access-control-request-method'] !== undefined
  );
}
