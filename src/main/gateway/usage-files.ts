import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { usageFiltersSchema } from '../../shared/usage-contract.ts';
import { addEndpoint } from './endpoints.ts';
import type { GatewayPorts } from './ports.ts';
import { parseBody } from './request-errors.ts';

const exportSchema = usageFiltersSchema.extend({ format: z.enum(['csv', 'jsonl']).default('csv') });

const TYPES = {
  csv: 'text/csv; charset=utf-8',
  jsonl: 'application/x-ndjson; charset=utf-8',
} as const;

/**
 * `GET /metrics` for Prometheus, and `GET /admin/usage/export?format=csv|jsonl` with the filters of `usage.requests`:
 * every request that is kept, a line each.
 */
export function addUsageFiles(
  app: FastifyInstance,
  { ports }: { readonly ports: Pick<GatewayPorts, 'metrics' | 'exportUsage'> },
): void {
  addEndpoint(app, '/metrics', {
    access: 'api',
    get(_request, reply) {
      const { contentType, text } = ports.metrics();
      return reply.type(contentType).send(text);
    },
  });
  addEndpoint(app, '/admin/usage/export', {
    access: 'admin',
    head: false,
    get(request, reply) {
      const { format, ...filters } = parseBody(exportSchema, { ...Object(request.query) });
      return reply
        .type(TYPES[format])
        .header('content-disposition', `attachment; filename="roundhouse-usage.${format}"`)
        .send(Readable.from(ports.exportUsage(format, filters), { signal: request.exchange.signal }));
    },
  });
}
