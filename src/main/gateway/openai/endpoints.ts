import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type RequiredCapability, requiredCapabilities } from '../../routing/required-capabilities.ts';
import { addApiEndpoint } from '../endpoints.ts';
import type { GatewayPorts } from '../ports.ts';
import { type AnswerPorts, answer } from './answer.ts';
import { type AnswerHead, chatFormat } from './chat-format.ts';
import { type Asked, parseChatRequest } from './chat-request.ts';
import { completionFormat } from './completion-format.ts';
import { parseCompletionRequest } from './completion-request.ts';
import { answerEmbedding } from './embeddings.ts';
import { findModel, listModels } from './models.ts';

export interface OpenAiPorts extends AnswerPorts {
  readonly ports: GatewayPorts;
  /** A new id that no other answer has. */
  newId(): string;
}

/** The OpenAI-compatible part of the port. */
export function addOpenAiEndpoints(app: FastifyInstance, deps: OpenAiPorts): void {
  const { ports, clock } = deps;
  const startedMs = clock.nowMs();

  addApiEndpoint(app, '/models', { access: 'api', get: () => listModels(ports, startedMs) });
  // A wildcard, because ids may hold slashes that a client did not encode.
  addApiEndpoint(app, '/models/*', {
    access: 'api',
    get: (request) => findModel(ports, wildcardOf(request), startedMs),
  });

  const head = (prefix: string, model: string, asked: Asked): AnswerHead => ({
    id: `${prefix}-${deps.newId()}`,
    created: Math.floor(clock.nowMs() / 1000),
    model,
    includeUsage: asked.includeUsage,
  });

  addApiEndpoint(app, '/chat/completions', {
    access: 'api',
    limited: true,
    post(request, reply) {
      const asked = parseChatRequest(request.body);
      const route = ports.route(asked.model, requiredBy(asked));
      const format = chatFormat(head('chatcmpl', route.modelId, asked), asked.asFunctions);
      return answer(deps, request, reply, asked, route, format);
    },
  });

  addApiEndpoint(app, '/completions', {
    access: 'api',
    limited: true,
    post(request, reply) {
      const asked = parseCompletionRequest(request.body);
      const route = ports.route(asked.model, requiredBy(asked));
      const format = completionFormat(head('cmpl', route.modelId, asked), asked.openings);
      return answer(deps, request, reply, asked, route, format);
    },
  });

  addApiEndpoint(app, '/embeddings', {
    access: 'api',
    limited: true,
    post: (request, reply) => answerEmbedding(deps, request, reply),
  });
}

/** All choices of an answer ask for the same but for their prompts, which are plain where they differ. */
function requiredBy({ requests: [first] }: Asked): readonly RequiredCapability[] {
  return first === undefined ? [] : requiredCapabilities(first);
}

function wildcardOf(request: FastifyRequest): string {
  const { params } = request;
  const text: unknown = typeof params === 'object' && params !== null ? Reflect.get(params, '*') : '';
  return typeof text === 'string' ? text.replace(/\/$/, '') : '';
}
