import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CONTENT_SECURITY_POLICY } from '../../shared/content-security-policy.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { addEndpoint } from './endpoints.ts';
import type { GatewayPorts } from './ports.ts';

const CONTENT_TYPE: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

const PAGE_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export interface InterfacePorts {
  readonly ports: Pick<GatewayPorts, 'interfaceDir' | 'adminToken'>;
}

/** The built interface at `/`. Without one, `/` says in words where the API is. */
export function addInterface(app: FastifyInstance, { ports }: InterfacePorts): void {
  const { interfaceDir } = ports;
  if (interfaceDir === null) {
    addEndpoint(app, '/', {
      access: 'public',
      get: (_request, reply) =>
        reply
          .type('text/plain; charset=utf-8')
          .send('Roundhouse is running. Its API is under /v1: try /v1/models.\n'),
    });
    return;
  }

  const sendPage = async (request: FastifyRequest, reply: FastifyReply): Promise<string> => {
    const html = await readFile(join(interfaceDir, 'index.html'), 'utf8').catch(() => {
      throw new RoundhouseError(
        'not_found',
        'The interface is not built: run "npm run build", then load this page again.',
      );
    });
    reply.headers({ ...PAGE_HEADERS, 'cache-control': 'no-store' }).type('text/html; charset=utf-8');
    return request.exchange.isOwn ? withToken(html, ports.adminToken) : html;
  };
  addEndpoint(app, '/', { access: 'public', get: sendPage });
  addEndpoint(app, '/index.html', { access: 'public', get: sendPage });

  const sendFile = async (request: FastifyRequest, reply: FastifyReply): Promise<Buffer> => {
    const path = request.url.split('?', 1)[0]?.slice(1) ?? '';
    const type = CONTENT_TYPE[extname(path)];
    const content =
      isPlainPath(path) && type ? await readFile(join(interfaceDir, path)).catch(() => null) : null;
    if (content === null || type === undefined) throw unknownAddress(request);
    // The build names what lies in assets/ by its content.
    const cache = path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    reply.headers({ ...PAGE_HEADERS, 'cache-control': cache }).type(type);
    return content;
  };
  app.route({ method: ['GET', 'HEAD'], url: '/*', config: { access: 'public' }, handler: sendFile });
}

export function unknownAddress(request: FastifyRequest): RoundhouseError {
  const path = request.url.split('?', 1)[0]?.slice(0, 200);
  return new RoundhouseError(
    'not_found',
    `There is nothing at ${request.method} ${path}. The API is under /v1: /v1/models, /v1/chat/completions, /v1/completions.`,
  );
}

/**
 * Plain names between single slashes, none beginning with a dot: such a path cannot leave the folder, whatever its
 * bytes would mean to a file system.
 */
function isPlainPath(path: string): boolean {
  return path.split('/').every((name) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name));
}

function withToken(html: string, token: string): string {
  const value = token.replace(/[^\w.~+/=-]/g, (character) => `&#${character.codePointAt(0)};`);
  return html.replace(
    /<head[^>]*>/i,
    (head) => `${head}<meta name="roundhouse-admin-token" content="${value}">`,
  );
}
