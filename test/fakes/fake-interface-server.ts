import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { EXPORT_TYPES, exportRequests, type ReadPage } from '../../src/main/usage/export.ts';
import { CONTENT_SECURITY_POLICY } from '../../src/shared/content-security-policy.ts';
import { type AppApi, CALLS, isCallName, isStreamName, STREAMS } from '../../src/shared/contract.ts';
import { HTTP_STATUS, RoundhouseError } from '../../src/shared/errors.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export interface FakeInterfaceServer extends AsyncDisposable {
  readonly url: string;
  /** Files that were sent, in the order in which they began to. */
  readonly uploads: readonly ReceivedUpload[];
  /** Breaks every open event stream, as a restart would. */
  dropEventStreams(): void;
  /** While false, every request for events is cut. */
  acceptEvents(accept: boolean): void;
}

export interface FakeInterfaceServerOptions {
  readonly api: AppApi;
  readonly token: string;
  /** Folder of the built page; `null` serves the admin calls only. */
  readonly interfaceDir: string | null;
  readonly port?: number;
  /** Once the first bytes of a file are there, the rest is read only after this resolves. */
  readonly holdUploads?: Promise<void>;
}

export interface ReceivedUpload {
  readonly name: string;
  readonly sizeBytes: number;
  /** False while it comes, and for ever when it was cut off. */
  readonly complete: boolean;
}

/** The admin side of the port over any `AppApi`, and the built page. For tests of the page; the real one is in gateway. */
export async function startFakeInterfaceServer(
  options: FakeInterfaceServerOptions,
): Promise<FakeInterfaceServer> {
  const eventStreams = new Set<ServerResponse>();
  const uploads: ReceivedUpload[] = [];
  let accepting = true;

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => refuse(response, RoundhouseError.from(error)));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://fake').pathname;
    if (!path.startsWith('/admin/')) return sendFile(path, response);
    if (request.headers.authorization !== `Bearer ${options.token}`) {
      throw new RoundhouseError(
        'invalid_api_key',
        'The admin token is missing or wrong. Load the page anew.',
      );
    }
    if (path === '/admin/events') return sendEvents(request, response);
    if (path === '/admin/usage/export') return sendUsage(request, response);
    if (path === '/admin/models/upload') return receive(request, response);
    const name = path.slice('/admin/'.length).replace('/', '.');
    if (isStreamName(name)) return sendParts(request, response);
    if (!isCallName(name)) throw new RoundhouseError('not_found', `There is no call ${name}.`);
    // The schema of the table and the call of the table belong to the same name.
    const input = CALLS[name].input.parse(JSON.parse(await bodyOf(request))) as never;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(await options.api.call(name, input)));
  }

  /** Takes a file; what it held is forgotten but for its size. */
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = new URL(request.url ?? '/', 'http://fake').searchParams.get('name') ?? '';
    if (request.headers['content-type'] !== 'application/octet-stream') {
      throw new RoundhouseError('unsupported_media_type', 'Send the file as application/octet-stream.');
    }
    const upload = { name, sizeBytes: 0, complete: false };
    uploads.push(upload);
    for await (const chunk of request) {
      upload.sizeBytes += (chunk as Buffer).byteLength;
      await options.holdUploads;
    }
    upload.complete = true;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ path: `/data/roundhouse/models/${name}` }));
  }

  function sendEvents(request: IncomingMessage, response: ServerResponse): void {
    if (!accepting) {
      request.destroy();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': hello\n\n');
    eventStreams.add(response);
    const subscription = options.api.subscribe((event) => {
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    });
    response.on('close', () => {
      eventStreams.delete(response);
      subscription[Symbol.dispose]();
    });
  }

  async function sendUsage(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { searchParams } = new URL(request.url ?? '/', 'http://fake');
    const format = searchParams.get('format') === 'jsonl' ? 'jsonl' : 'csv';
    const filters = { fromMs: Number(searchParams.get('fromMs')) };
    response.writeHead(200, { 'content-type': EXPORT_TYPES[format] });
    const read: ReadPage = (page) => options.api.call('usage.requests', page);
    for await (const piece of exportRequests(read, format, filters)) response.write(piece);
    response.end();
  }

  async function sendParts(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const input = STREAMS['chat.generate'].input.parse(JSON.parse(await bodyOf(request)));
    const abort = new AbortController();
    response.on('close', () => abort.abort());
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    for await (const part of options.api.stream('chat.generate', input, abort.signal)) {
      response.write(`data: ${JSON.stringify(part)}\n\n`);
    }
    response.end();
  }

  async function sendFile(path: string, response: ServerResponse): Promise<void> {
    const name = path === '/' ? 'index.html' : normalize(path).replace(/^[/\\]+/, '');
    if (options.interfaceDir === null || name.startsWith('..')) {
      throw new RoundhouseError('not_found', `There is no ${path}.`);
    }
    const content = await readFile(join(options.interfaceDir, name)).catch(() => {
      throw new RoundhouseError('not_found', `There is no ${path}.`);
    });
    response.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream');
    response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY);
    const meta = `<meta name="roundhouse-admin-token" content="${options.token}">`;
    response.end(name === 'index.html' ? content.toString().replace('</head>', `${meta}</head>`) : content);
  }

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  // Listening on a TCP port: the address is an object, never a pipe's name.
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    uploads,
    dropEventStreams: () => {
      for (const stream of eventStreams) stream.destroy();
    },
    acceptEvents: (accept) => {
      accepting = accept;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function refuse(response: ServerResponse, error: RoundhouseError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { message, param, code } = error;
  response.writeHead(HTTP_STATUS[code], { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message, type: 'invalid_request_error', param, code } }));
}
