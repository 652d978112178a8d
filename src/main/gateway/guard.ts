import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { RoundhouseError } from '../../shared/errors.ts';
import { type Authority, isLoopback, parseAuthority } from './authority.ts';
import type { ApiKey } from './ports.ts';

/** Who may ask: anyone on an allowed host, holders of an API key, or the administrator. */
export type Access = 'public' | 'api' | 'admin';

/** What a POST carries: JSON, or a file as it is. Neither can be sent by a plain form. */
export type BodyKind = 'json' | 'bytes';

/** What the guard judges by; read anew for each request. */
export interface GuardPolicy {
  /** The port that is listened on. */
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly apiKeys: readonly ApiKey[];
  readonly adminToken: string;
}

/** Where a request comes from, as far as its headers say. */
export interface Source {
  /** The host is this machine's own name and the request was not sent on by a proxy that says so. */
  readonly ownHost: boolean;
  /** The foreign origin that is allowed to read the answer; `null` for the app's own pages and for programs. */
  readonly corsOrigin: string | null;
}

const OWN_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * Refuses what a web page somewhere could make a browser send: another site's name for this address (DNS rebinding),
 * another site's page, and bodies that a plain form can post.
 * @throws RoundhouseError `host_not_allowed`, `origin_not_allowed`, `unsupported_media_type`
 */
export function checkSource(request: IncomingMessage, policy: GuardPolicy, body: BodyKind): Source {
  const host = hostOf(request);
  const own = host !== null && OWN_HOSTS.has(host.host) && (host.port ?? 80) === policy.port;
  if (host === null || !(own || isAllowedHost(host, policy.allowedHosts))) {
    throw new RoundhouseError(
      'host_not_allowed',
      `Requests for the host ${quoted(request.headers.host)} are refused: this server answers to localhost, 127.0.0.1 ` +
        `and [::1] on port ${policy.port}. If it should answer to that name too, add it to server.allowedHosts in models.yaml.`,
    );
  }
  const corsOrigin = checkOrigin(request, host, own, policy.allowedOrigins);
  if (request.method === 'POST') checkBodyType(request, body);
  return { ownHost: own && !PROXY_HEADERS.some((name) => request.headers[name] !== undefined), corsOrigin };
}

/**
 * Lets in who may use what they ask for.
 * @returns the API key that was shown; `null` when none was needed, or it was the admin token
 * @throws RoundhouseError `invalid_api_key`
 */
export function checkKey(request: IncomingMessage, access: Access, policy: GuardPolicy): ApiKey | null {
  if (access === 'public') return null;
  const shown = shownSecrets(request).map(sha256);
  const shows = (hash: Buffer) => shown.some((candidate) => isSame(candidate, hash));
  const key = policy.apiKeys.find(({ sha256: hex }) => shows(Buffer.from(hex, 'hex'))) ?? null;
  if (access === 'admin') {
    if (shows(sha256(policy.adminToken))) return null;
    if (key?.admin) return key;
    throw new RoundhouseError(
      'invalid_api_key',
      'The admin interface needs "Authorization: Bearer …" with the admin token of this run (file admin-token in the ' +
        'data folder) or with an API key that has admin: true. A page that was open before a restart must be reloaded.',
    );
  }
  if (key !== null) return key;
  if (policy.apiKeys.length === 0 && isLoopback(request.socket.remoteAddress ?? '')) return null;
  throw new RoundhouseError(
    'invalid_api_key',
    shown.length === 0
      ? 'This server needs an API key: send it as "Authorization: Bearer KEY" or "x-api-key: KEY".'
      : 'The API key is not one of this server’s: see server.apiKeys in models.yaml.',
  );
}

function hostOf(request: IncomingMessage): Authority | null {
  // Node keeps the first of several Host headers; a proxy in front may have judged by another one.
  const count = request.rawHeaders.filter(
    (text, index) => index % 2 === 0 && text.toLowerCase() === 'host',
  ).length;
  if (count > 1 || request.headers.host === undefined) return null;
  return parseAuthority(request.headers.host);
}

function isAllowedHost(host: Authority, allowedHosts: readonly string[]): boolean {
  return allowedHosts.some((entry) => {
    const allowed = parseAuthority(entry) ?? parseAuthority(`[${entry}]`);
    if (allowed === null || allowed.host !== host.host) return false;
    return allowed.port === null || allowed.port === (host.port ?? 80);
  });
}

function checkOrigin(
  request: IncomingMessage,
  host: Authority,
  ownHost: boolean,
  allowedOrigins: readonly string[],
): string | null {
  const { origin } = request.headers;
  if (origin !== undefined && isAllowedOrigin(origin, allowedOrigins)) return origin;
  if (origin !== undefined && !isOwnOrigin(origin, host, ownHost)) {
    throw new RoundhouseError(
      'origin_not_allowed',
      `Requests from pages of ${quoted(origin)} are refused. If they should be answered, add that origin to ` +
        'server.allowedOrigins in models.yaml.',
    );
  }
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new RoundhouseError(
      'origin_not_allowed',
      'Requests that a page of another site makes the browser send are refused. If that site should be answered, add its ' +
        'origin to server.allowedOrigins in models.yaml; to open this page, type its address.',
    );
  }
  return null;
}

function isAllowedOrigin(origin: string, allowedOrigins: readonly string[]): boolean {
  // `null` stands for every sandboxed frame and local file at once, so that nobody can mean to allow it.
  if (origin === 'null') return false;
  return allowedOrigins.some((allowed) => allowed.replace(/\/$/, '').toLowerCase() === origin.toLowerCase());
}

function isOwnOrigin(origin: string, host: Authority, ownHost: boolean): boolean {
  const match = /^(https?):\/\/(.+)$/i.exec(origin);
  if (!match?.[1] || !match[2]) return false;
  const https = match[1].toLowerCase() === 'https';
  // This port speaks plain HTTP; a page that came by HTTPS came through a proxy, under a name from allowedHosts.
  if (https && ownHost) return false;
  const authority = parseAuthority(match[2]);
  if (authority === null || authority.host !== host.host) return false;
  const defaultPort = https ? 443 : 80;
  return (authority.port ?? defaultPort) === (host.port ?? defaultPort);
}

const BODY_TYPES: Readonly<Record<BodyKind, { readonly type: string; readonly must: string }>> = {
  json: { type: 'application/json', must: 'The body must be JSON, sent' },
  bytes: { type: 'application/octet-stream', must: 'The body must be the file itself, sent' },
};

function checkBodyType(request: IncomingMessage, body: BodyKind): void {
  const { type, must } = BODY_TYPES[body];
  const given = request.headers['content-type'];
  if (given?.split(';', 1)[0]?.trim().toLowerCase() !== type) {
    throw new RoundhouseError(
      'unsupported_media_type',
      `${must} with "Content-Type: ${type}", not ${quoted(given)}.`,
    );
  }
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity') {
    throw new RoundhouseError(
      'unsupported_media_type',
      `The body must not be compressed (Content-Encoding: ${quoted(encoding)}).`,
    );
  }
}

function shownSecrets(request: IncomingMessage): string[] {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  const apiKey = request.headers['x-api-key'];
  // An empty secret opens nothing: not even an empty key.
  return [bearer, typeof apiKey === 'string' ? apiKey.trim() : undefined].filter(
    (secret): secret is string => secret !== undefined && secret !== '',
  );
}

/** Takes the same time wherever the two differ. */
function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function quoted(text: string | undefined): string {
  return text === undefined ? '(none)' : JSON.stringify(text.slice(0, 200));
}
