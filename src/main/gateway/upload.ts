import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { addEndpoint } from './endpoints.ts';
import type { Unhurried } from './malformed-http.ts';
import type { GatewayPorts } from './ports.ts';
import { parseBody } from './request-errors.ts';

/** A sender from whom nothing has come for so long is given up. */
const STALL_MS = 60_000;
/** How long a refused sender may go on, so that it gets to read why, before it is cut off. */
const LINGER_MS = 2_000;

const querySchema = z.strictObject({ name: z.string().min(1).max(1024) });

export interface UploadDeps {
  readonly ports: Pick<GatewayPorts, 'uploads'>;
  readonly clock: Clock;
  readonly unhurried: Unhurried;
}

/**
 * `POST /admin/models/upload?name=FILE` with the file as its body, of any size: for a page that has no access to the
 * disk. Answers `{ path }`, to be used with `models.estimate` and `models.add`.
 */
export function addUpload(app: FastifyInstance, deps: UploadDeps): void {
  // A scope of its own: no other route takes such bodies.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/octet-stream', (_request, _body, done) => done(null));
    scope.addHook('onResponse', async ({ raw }) => endBody(raw, deps.clock));
    addEndpoint(scope, '/admin/models/upload', {
      access: 'admin',
      body: 'bytes',
      post: (request) => receive(request, deps),
    });
  });
}

async function receive(request: FastifyRequest, { ports, clock, unhurried }: UploadDeps): Promise<unknown> {
  const { name } = parseBody(querySchema, { ...Object(request.query) });
  const { raw } = request;
  const { socket } = raw;
  const { signal } = request.exchange;
  const length = raw.headers['content-length'];
  unhurried.add(socket);
  try {
    return await ports.uploads.receive(
      { name, sizeBytes: length === undefined ? null : Number(length), body: chunksOf(raw, signal, clock) },
      signal,
    );
  } finally {
    unhurried.delete(socket);
  }
}

/** The body as it comes. Leaving it early leaves the connection open, for the answer. */
async function* chunksOf(
  raw: IncomingMessage,
  signal: AbortSignal,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = raw.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await soon(chunks.next(), signal, clock);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: it comes after a `next` that may be waiting for a sender that has stalled.
    void chunks.return?.();
  }
}

/** Waits for more of the body, but not for ever. */
async function soon<Value>(more: Promise<Value>, signal: AbortSignal, clock: Clock): Promise<Value> {
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  using _stall = clock.after(STALL_MS, () => stopped.reject(cancelled('nothing came for a minute')));
  try {
    return await Promise.race([more, stopped.promise]);
  } catch (error) {
    throw error instanceof RoundhouseError ? error : cancelled('the client went away');
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function cancelled(why: string): RoundhouseError {
  return new RoundhouseError('cancelled', `${why} before the whole file had arrived`);
}

/** Reads on past a refusal: a connection that is closed while its sender still writes takes the answer with it. */
function endBody(raw: IncomingMessage, clock: Clock): void {
  raw.resume();
  if (raw.complete || raw.destroyed) return;
  const cut = clock.after(LINGER_MS, () => raw.destroy());
  raw.once('close', () => cut[Symbol.dispose]());
  raw.once('end', () => cut[Symbol.dispose]());
}
