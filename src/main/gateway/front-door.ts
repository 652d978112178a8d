import type { FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback } from './authority.ts';
import { corsHeaders, isPreflight, preflightHeaders } from './cors.ts';
import { type Exchanges, shuttingDown } from './exchange.ts';
import { checkKey, checkSource, type GuardPolicy } from './guard.ts';
import type { KeyLimits } from './key-limits.ts';

export interface FrontDoorPorts {
  readonly exchanges: Exchanges;
  readonly newId: () => string;
  readonly policy: () => GuardPolicy;
  readonly limits: KeyLimits;
  readonly isClosing: () => boolean;
}

/** Gives a request its ids and starts following it. Everything that is answered has come through here. */
export function beginExchange(door: FrontDoorPorts, request: FastifyRequest, reply: FastifyReply): void {
  // An id that the caller chose could forge lines of the log, so none is taken over.
  const requestId = `req_${door.newId()}`;
  request.exchange = door.exchanges.begin(requestId, reply.raw);
  reply.headers({ 'x-request-id': requestId, 'request-id': requestId, 'x-content-type-options': 'nosniff' });
}

/**
 * The one guard before every route, also before unknown addresses and wrong methods.
 * @returns the reply when it has been given here
 * @throws RoundhouseError for what is refused
 */
export function admit(
  door: FrontDoorPorts,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | undefined {
  const { raw } = request;
  const policy = door.policy();
  const { access = 'api', body = 'json', limited = false } = request.routeOptions.config ?? {};
  const source = checkSource(raw, policy, body);
  if (source.corsOrigin !== null) {
    reply.headers(corsHeaders(source.corsOrigin));
    if (isPreflight(raw)) return reply.code(204).headers(preflightHeaders(raw)).send();
  }
  if (door.isClosing()) throw shuttingDown();
  const { exchange } = request;
  exchange.isOwn = source.ownHost && source.corsOrigin === null && isLoopback(raw.socket.remoteAddress ?? '');
  const key = checkKey(raw, access, policy);
  exchange.keyName = key?.name ?? null;
  // Before the body is read: what is refused should cost nothing.
  if (limited && key !== null) exchange.holdUntilEnd(door.limits.enter(key));
  return undefined;
}
