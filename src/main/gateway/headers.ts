import type { FastifyReply } from 'fastify';
import type { Exchange } from './exchange.ts';
import type { Route } from './ports.ts';

const OVERHEAD = 'x-roundhouse-overhead-ms';
const LONGEST_NAME = 200;

/**
 * Text as a header can carry it: ASCII as it is, arrows as `->`, `%` and everything else percent-encoded as UTF-8, so
 * that no name can end the line.
 */
export function headerText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('→', '->')
    .replace(/[^ !-$&-~]/gu, (character) => encodeURIComponent(character));
}

/**
 * Says what was asked, what answers and why: `asked → model; reason`, written as `headerText` does. What should be known
 * of the model stands in a header of its own.
 */
export function setRouteHeader(reply: FastifyReply, route: Route): void {
  const text = `${shortened(route.asked)} → ${shortened(route.modelId)}; ${shortened(route.reason)}`;
  reply.header('x-roundhouse-route', headerText(text));
  const warnings = route.warnings ?? [];
  if (warnings.length > 0) {
    reply.header('x-roundhouse-warning', headerText(warnings.map(shortened).join('; ')));
  }
}

/** Records the time spent in Roundhouse itself, in milliseconds; the first call for a reply holds. */
export function setOverheadHeader(reply: FastifyReply, exchange: Exchange): void {
  if (!hasOverheadHeader(reply)) reply.header(OVERHEAD, exchange.overheadMs().toFixed(3));
}

export function hasOverheadHeader(reply: FastifyReply): boolean {
  return reply.hasHeader(OVERHEAD);
}

function shortened(text: string): string {
  return text.length <= LONGEST_NAME ? text : `${text.slice(0, LONGEST_NAME)}…`;
}
