import { Buffer } from 'node:buffer';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../../shared/clock.ts';
import { RoundhouseError } from '../../../shared/errors.ts';
import { setRouteHeader } from '../headers.ts';
import type { GatewayPorts } from '../ports.ts';
import { callerOf } from './caller.ts';
import { parseEmbeddingRequest } from './embedding-request.ts';

export interface EmbeddingPorts {
  readonly ports: Pick<GatewayPorts, 'route' | 'embed'>;
  readonly clock: Clock;
}

/** `POST /v1/embeddings`: a vector for each text, in their order. */
export async function answerEmbedding(
  { ports, clock }: EmbeddingPorts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<object> {
  const { exchange } = request;
  const { model, inputs, encoding, dimensions, origin } = parseEmbeddingRequest(request.body);
  const caller = callerOf(request, origin);
  const route = ports.route(model, ['embeddings']);
  setRouteHeader(reply, route);
  const askedMs = clock.monotonicMs();
  let answeredMs: number | null = null;
  exchange.generation = {
    timing: () => ({ waitMs: 0, backendMs: (answeredMs ?? clock.monotonicMs()) - askedMs }),
  };
  const { vectors, promptTokens } = await ports.embed(route, inputs, { dimensions }, exchange.signal, caller);
  answeredMs = clock.monotonicMs();
  exchange.signal.throwIfAborted();
  if (vectors.length !== inputs.length) {
    throw new RoundhouseError(
      'provider_error',
      `${route.modelId} was asked for ${inputs.length} embeddings and gave ${vectors.length}. Try again.`,
    );
  }
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: encoding === 'base64' ? base64Of(vector) : Array.from(vector),
    })),
    model: route.modelId,
    ...(promptTokens === null ? {} : { usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } }),
  };
}

/** Little-endian, as every machine is that this runs on. */
function base64Of(vector: ArrayLike<number>): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64');
}
