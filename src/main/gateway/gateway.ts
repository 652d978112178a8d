import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify';
import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { addAdminEndpoints } from './admin.ts';
import { isLoopback } from './authority.ts';
import { addApiEndpoint } from './endpoints.ts';
import { Exchanges } from './exchange.ts';
import { admit, beginExchange, type FrontDoorPorts } from './front-door.ts';
import { setOverheadHeader } from './headers.ts';
import { addInterface, unknownAddress } from './interface-files.ts';
import { KeyLimits } from './key-limits.ts';
import { listenError } from './listen-error.ts';
import type { GatewayLog } from './log.ts';
import { refuseMalformed, type Unhurried } from './malformed-http.ts';
import { addOpenAiEndpoints } from './openai/endpoints.ts';
import type { GatewayPorts } from './ports.ts';
import { ErrorSender } from './send-error.ts';
import { addUpload } from './upload.ts';
import { addUsageFiles } from './usage-files.ts';

const BODY_LIMIT_BYTES = 32 * 1024 ** 2;
/** Until all headers of a request are there, and until all of it is: slow senders are cut off. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 120_000;
const TIMEOUT_CHECK_MS = 5_000;
const MAX_CONNECTIONS = 2048;
/** How long closing waits for open answers to end. */
const CLOSE_BOUND_MS = 2_000;
/** What requests that come without a socket, through `inject`, name as their port. */
const INJECTED_PORT = 80;

export interface GatewayOptions {
  readonly clock: Clock;
  readonly log: GatewayLog;
  readonly bodyLimitBytes?: number;
  /** Ids of requests and answers; each must be new. */
  readonly newId?: () => string;
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly maxConnections?: number;
}

/** The HTTP port: OpenAI's protocol, the admin interface and the page. */
export interface Gateway {
  /**
   * Starts to answer. Port 0 takes any free one.
   * @returns the address that programs on this machine reach it by, without `/v1`
   * @throws RoundhouseError `conflict` when the port is taken, `config_invalid` when the address cannot be listened on
   * or would be open to other machines without an API key
   */
  listen(host: string, port: number): Promise<{ readonly url: string; readonly port: number }>;
  /** Ends open streams with an error event, then all connections. Takes two seconds at most; can be called again. */
  close(): Promise<void>;
  /** Answers one request without a socket. */
  inject(request: InjectOptions | string): Promise<LightMyRequestResponse>;
}

export function createGateway(ports: GatewayPorts, options: GatewayOptions): Gateway {
  const { clock } = options;
  const bodyLimitBytes = options.bodyLimitBytes ?? BODY_LIMIT_BYTES;
  const newId = options.newId ?? (() => randomUUID().replaceAll('-', ''));
  const errors = new ErrorSender(options.log, bodyLimitBytes);
  const exchanges = new Exchanges(clock);
  let boundPort = INJECTED_PORT;
  let closing: Promise<void> | null = null;
  const door: FrontDoorPorts = {
    exchanges,
    newId,
    policy: () => ({ ...ports.settings.current(), adminToken: ports.adminToken, port: boundPort }),
    isClosing: () => closing !== null,
    limits: new KeyLimits(clock),
  };

  const unhurried: Unhurried = new WeakSet();
  const app = createServer(options, bodyLimitBytes, door, errors, unhurried);
  addOpenAiEndpoints(app, { ports, clock, errors, newId });
  addAdminEndpoints(app, { ports, clock, errors });
  addUsageFiles(app, { ports });
  addUpload(app, { ports, clock, unhurried });
  addInterface(app, { ports });
  addApiEndpoint(app, '/health', {
    access: 'public',
    get: (_request, reply) =>
      ports.serving()
        ? { status: 'ok' }
        : reply.code(503).header('retry-after', '1').send({ status: 'unavailable' }),
  });

  return {
    async listen(host, port) {
      if (!isLoopback(host) && ports.settings.current().apiKeys.length === 0) {
        throw new RoundhouseError(
          'config_invalid',
          `listening on ${host} lets other machines in, so server.apiKeys in models.yaml must hold at least one key; add ` +
            'one, or set server.host to 127.0.0.1.',
        );
      }
      try {
        await app.listen({ host, port });
      } catch (error) {
        throw listenError(error, host, port);
      }
      const address = app.server.address();
      boundPort = typeof address === 'object' && address !== null ? address.port : port;
      return { url: `http://${reachableHost(host)}:${boundPort}`, port: boundPort };
    },
    close() {
      closing ??= exchanges.endAll(CLOSE_BOUND_MS).then(() => app.close());
      return closing;
    },
    inject: (request) => app.inject(request),
  };
}

function createServer(
  options: GatewayOptions,
  bodyLimit: number,
  door: FrontDoorPorts,
  errors: ErrorSender,
  unhurried: Unhurried,
): FastifyInstance {
  const app = Fastify({
    bodyLimit,
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, options.headersTimeoutMs ?? TIMEOUT_CHECK_MS),
      // The guard refuses requests without a host itself, in the same words as those with a wrong one.
      requireHostHeader: false,
    },
    forceCloseConnections: true,
    // The guard answers while closing, in the API's own form.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 4096 },
    clientErrorHandler: (error, socket) => refuseMalformed(error, socket, unhurried),
    // An address that cannot be decoded never reaches the hooks.
    frameworkErrors(error, request, reply) {
      beginExchange(door, request, reply);
      setOverheadHeader(reply, request.exchange);
      try {
        if (admit(door, request, reply) === undefined) errors.send(error, request, reply);
      } catch (refusal) {
        errors.send(refusal, request, reply);
      }
    },
  });
  app.server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    app.getDefaultJsonParser('remove', 'remove'),
  );
  app.decorateRequest('exchange');
  app.addHook('onRequest', async (request, reply) => {
    beginExchange(door, request, reply);
    return admit(door, request, reply);
  });
  app.addHook('onSend', async (request, reply) => setOverheadHeader(reply, request.exchange));
  app.setErrorHandler((error, request, reply) => errors.send(error, request, reply));
  app.setNotFoundHandler((request) => {
    throw unknownAddress(request);
  });
  return app;
}

/** The name by which this machine reaches what listens on `host`, as a URL writes it. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
