import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { type Protocol, protocol } from 'electron';
import { CONTENT_SECURITY_POLICY } from '../../shared/content-security-policy.ts';

const SCHEME = 'app';
const HOST = 'roundhouse';
export const APP_ORIGIN = `${SCHEME}://${HOST}`;
export const APP_URL = `${APP_ORIGIN}/`;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** Makes `app:` a scheme with an origin, so that storage, fetch and CSP work. Must run before Electron is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/** Serves the built interface under `APP_URL` to pages of one session; nothing outside `interfaceDir` is reachable. */
export function serveAppScheme(sessionProtocol: Protocol, interfaceDir: string): void {
  sessionProtocol.handle(SCHEME, async (request) => {
    const url = new URL(request.url);
    if (request.method !== 'GET' || url.host !== HOST) return refusal(403);
    const file = await resolveInside(interfaceDir, url.pathname);
    const contentType = file === null ? undefined : CONTENT_TYPES[extname(file)];
    if (file === null || contentType === undefined) return refusal(404);
    return new Response(await readFile(file), {
      headers: {
        'content-type': contentType,
        'content-security-policy': CONTENT_SECURITY_POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      },
    });
  });
}

/** The real path of what a URL path names, or `null` when that does not exist or lies outside, also through a link. */
async function resolveInside(dir: string, pathname: string): Promise<string | null> {
  try {
    const root = await realpath(dir);
    const decoded = decodeURIComponent(pathname);
    const file = await realpath(join(root, decoded === '/' ? 'index.html' : decoded));
    return file.startsWith(root + sep) ? file : null;
  } catch {
    // Malformed escapes, NUL bytes and missing files are all the same to a page: not there.
    return null;
  }
}

function refusal(status: 403 | 404): Response {
  return new Response(null, { status, headers: { 'content-security-policy': CONTENT_SECURITY_POLICY } });
}
