import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../shared/clock.ts';
import { CALLS, type CallInput, type CallName, isCallName, STREAMS } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { StreamPart } from '../../shared/generation.ts';
import { addEndpoint } from './endpoints.ts';
import type { GatewayPorts } from './ports.ts';
import { parseBody } from './request-errors.ts';
import type { ErrorSender } from './send-error.ts';
import { SseStream } from './sse.ts';

const KEEP_ALIVE_MS = 15_000;
/** A page that is further behind than this starts again with a snapshot. */
const MOST_UNSENT_BYTES = 4 * 1024 ** 2;

export interface AdminPorts {
  readonly ports: Pick<GatewayPorts, 'api'>;
  readonly clock: Clock;
  readonly errors: ErrorSender;
}

/** `/admin`: the calls, streams and events of the contract, for the interface in a browser and the command line. */
export function addAdminEndpoints(app: FastifyInstance, deps: AdminPorts): void {
  for (const name of Object.keys(CALLS)) {
    if (isCallName(name)) addCall(app, deps, name);
  }
  // Where people look for them; `decisions.list` under another address.
  addEndpoint(app, '/admin/decisions', {
    access: 'admin',
    get: () => deps.ports.api.call('decisions.list', {}),
  });
  addChatStream(app, deps);
  addEvents(app, deps);
}

function addCall(app: FastifyInstance, { ports }: AdminPorts, name: CallName): void {
  const { input, reads } = CALLS[name];
  const call = async (value: unknown): Promise<unknown> => {
    // The schema is this call's own; the table's type does not tie the two together for a name that varies.
    const checked = parseBody(input, value) as CallInput<CallName>;
    return (await ports.api.call(name, checked)) ?? null;
  };
  addEndpoint(app, pathOf(name), {
    access: 'admin',
    post: (request) => call(request.body),
    ...(reads ? { get: (request) => call({ ...Object(request.query) }) } : {}),
  });
}

/** Parts go out as they are. A failure is a part too, so this stream always begins with 200. */
function addChatStream(app: FastifyInstance, { ports, clock, errors }: AdminPorts): void {
  const name = 'chat.generate';
  addEndpoint(app, pathOf(name), {
    access: 'admin',
    limited: true,
    async post(request, reply) {
      const input = parseBody(STREAMS[name].input, request.body);
      const { signal } = request.exchange;
      const sse = new SseStream(reply, clock);
      sse.commit();
      using _alive = clock.every(KEEP_ALIVE_MS, () => sse.comment('waiting'));
      const errorPart = (thrown: unknown): StreamPart => {
        const { message } = errors.body(thrown, request).error;
        return { type: 'error', error: { ...RoundhouseError.from(thrown).toJSON(), message } };
      };
      try {
        for await (const part of ports.api.stream(name, input, signal)) {
          await sse.send(part.type === 'error' ? errorPart(RoundhouseError.fromJSON(part.error)) : part);
          if (signal.aborted) break;
        }
        signal.throwIfAborted();
        sse.end();
      } catch (error) {
        sse.fail(errorPart(error));
      }
    },
  });
}

/**
 * Events as they happen, a snapshot first. When the port closes or the client falls behind the connection is just cut:
 * it begins again with a snapshot, and nothing of it can be mistaken for whole.
 */
function addEvents(app: FastifyInstance, { ports, clock }: AdminPorts): void {
  addEndpoint(app, '/admin/events', {
    access: 'admin',
    head: false,
    async get(request, reply) {
      const { signal } = request.exchange;
      const sse = new SseStream(reply, clock);
      sse.commit();
      const ended = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => ended.resolve());
      if (signal.aborted) ended.resolve();
      using _alive = clock.every(KEEP_ALIVE_MS, () => sse.comment('alive'));
      using _events = ports.api.subscribe((event) => {
        sse.push(event);
        if (sse.unsentBytes > MOST_UNSENT_BYTES) ended.resolve();
      });
      await ended.promise;
      sse.fail();
    },
  });
}

function pathOf(name: string): string {
  return `/admin/${name.replace('.', '/')}`;
}
