import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RoundhouseError } from '../../shared/errors.ts';
import type { Access, BodyKind } from './guard.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may ask; a route that does not say is for holders of a key. */
    readonly access?: Access;
    /** What a POST carries; JSON for a route that does not say. */
    readonly body?: BodyKind;
    /** Whether POSTs count against the limits of the caller's API key. */
    readonly limited?: boolean;
  }
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

export interface Endpoint {
  readonly access: Access;
  /** What `post` takes. Default: JSON. */
  readonly body?: BodyKind;
  /** Whether `post` generates, so that it counts against the limits of the caller's API key. Default: it does not. */
  readonly limited?: boolean;
  readonly get?: Handler;
  readonly post?: Handler;
  /** Whether HEAD answers as GET does; not for endless streams. Default: it does. */
  readonly head?: boolean;
}

/** Adds an address with all its methods: those it does not have get a 405 that names those it has. */
export function addEndpoint(app: FastifyInstance, url: string, endpoint: Endpoint): void {
  const { access, body = 'json', limited = false, get, post } = endpoint;
  const methods: string[] = [];
  if (get !== undefined) {
    const names = endpoint.head === false ? ['GET'] : ['GET', 'HEAD'];
    methods.push(...names);
    app.route({ method: names, url, config: { access }, handler: get });
  }
  if (post !== undefined) {
    methods.push('POST');
    app.route({ method: 'POST', url, config: { access, body, limited }, handler: post });
  }
  const allow = methods.join(', ');
  app.route({
    method: app.supportedMethods.filter((method) => !methods.includes(method)),
    url,
    config: { access },
    onRequest: async (request, reply) => {
      reply.header('allow', allow);
      throw new RoundhouseError(
        'method_not_allowed',
        `${request.method} is not for this address; it takes ${allow}.`,
      );
    },
    handler: () => undefined,
  });
}

/** Adds an address of the API with and without `/v1`. */
export function addApiEndpoint(app: FastifyInstance, url: string, endpoint: Endpoint): void {
  addEndpoint(app, url, endpoint);
  addEndpoint(app, `/v1${url}`, endpoint);
}
