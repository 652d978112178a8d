import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a server goes wrong. Where `afterEvents` is 0, nothing of the answer comes. */
export type Misbehaviour =
  /** An answer that is late, in real milliseconds. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** A refusal; without a body the vendor's own for that status. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** The connection breaks. */
  | { readonly kind: 'cut'; readonly afterEvents: number }
  /** The answer's HTTP ends as it should, and the answer has not. */
  | { readonly kind: 'short'; readonly afterEvents: number }
  /** A web page instead of an API, or nonsense among the events. */
  | { readonly kind: 'garbage'; readonly afterEvents: number }
  /** Nothing comes any more, and the connection stays. */
  | { readonly kind: 'half-open'; readonly afterEvents: number }
  /** The vendor's way of saying within a stream that it failed. */
  | { readonly kind: 'error-event'; readonly afterEvents: number }
  | { readonly kind: 'redirect'; readonly location: string };

export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Parsed JSON; `null` where there was none. */
  readonly body: unknown;
}

/** An answer, or a refusal. Thrown by a protocol it is a refusal too. */
export interface WireAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** JSON, or the events of a stream as they go over the wire. */
  readonly body: object | readonly string[];
}

export class WireRefusal extends Error {
  readonly answer: WireAnswer;
  constructor(status: number, body: object, headers: Record<string, string> = {}) {
    super(`${status}`);
    this.answer = { status, body, headers };
  }
}

/** One vendor's protocol. */
export interface Protocol {
  /** @throws WireRefusal */
  answer(request: Recorded): WireAnswer;
  /** What the vendor answers with for a status, in its own shape. */
  refusal(status: number): object;
  /** The event that tells of a failure in mid-stream. */
  readonly errorEvent: string;
}

/** A plain HTTP server on loopback that speaks one protocol and can misbehave. */
export interface WireServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** All that was asked, oldest first. */
  readonly requests: readonly Recorded[];
  /** What the next answers do; `null` = as they should. */
  misbehaviour: Misbehaviour | null;
  /** Resolves when an answer has been begun. */
  readonly begun: Promise<void>;
  /** Resolves when a client has closed its connection in mid-answer. */
  readonly abandoned: Promise<void>;
}

export async function serveWire(protocol: Protocol): Promise<WireServer> {
  const requests: Recorded[] = [];
  const begun = Promise.withResolvers<void>();
  const abandoned = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    response.once('close', () => {
      if (!response.writableFinished) abandoned.resolve();
    });
    void handle(request, response);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const recorded: Recorded = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: text === '' ? null : JSON.parse(text),
    };
    requests.push(recorded);
    begun.resolve();
    await respond(protocol, recorded, response, wire.misbehaviour);
  }

  const wire: WireServer = {
    url: '',
    requests,
    misbehaviour: null,
    begun: begun.promise,
    abandoned: abandoned.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return Object.assign(wire, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function respond(
  protocol: Protocol,
  request: Recorded,
  response: ServerResponse,
  misbehaviour: Misbehaviour | null,
): Promise<void> {
  switch (misbehaviour?.kind) {
    case 'latency':
      await new Promise((resolve) => setTimeout(resolve, misbehaviour.ms));
      break;
    case 'status':
      response.writeHead(misbehaviour.status, {
        'content-type': 'application/json',
        ...misbehaviour.headers,
      });
      response.end(misbehaviour.body ?? JSON.stringify(protocol.refusal(misbehaviour.status)));
      return;
    case 'redirect':
      response.writeHead(302, { location: misbehaviour.location }).end();
      return;
    case 'half-open':
      if (misbehaviour.afterEvents === 0) return;
      break;
    case 'cut':
      if (misbehaviour.afterEvents === 0) response.destroy();
      break;
    case 'garbage':
      if (misbehaviour.afterEvents === 0) {
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end('<html>\n<p>Welcome to the router</p>\n</html>');
        return;
      }
  }
  let answer: WireAnswer;
  try {
    answer = protocol.answer(request);
  } catch (error) {
    if (!(error instanceof WireRefusal)) throw error;
    answer = error.answer;
  }
  if (!isStream(answer.body)) {
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body));
    return;
  }
  response.writeHead(answer.status, { 'content-type': 'text/event-stream', ...answer.headers });
  await stream(answer.body, response, misbehaviour, protocol.errorEvent);
}

async function stream(
  events: readonly string[],
  response: ServerResponse,
  misbehaviour: Misbehaviour | null,
  errorEvent: string,
): Promise<void> {
  const atFault = misbehaviour !== null && 'afterEvents' in misbehaviour;
  for (const event of atFault ? events.slice(0, misbehaviour.afterEvents) : events)
    await dribble(response, event);
  switch (misbehaviour?.kind) {
    case 'cut':
      response.destroy();
      return;
    case 'half-open':
      return;
    case 'garbage':
      await dribble(response, 'data: {"this is": no JSON\n\n');
      break;
    case 'error-event':
      await dribble(response, errorEvent);
  }
  response.end();
}

/** In pieces that split characters, lines and events, as networks do. */
async function dribble(response: ServerResponse, event: string): Promise<void> {
  const bytes = Buffer.from(event);
  const middle = Math.ceil(bytes.length / 2) + 1;
  for (const piece of [bytes.subarray(0, middle), bytes.subarray(middle)]) {
    // Each piece in a packet of its own: the next turn of the event loop.
    await new Promise<void>((sent) => response.write(piece, () => setImmediate(sent)));
  }
}

function isStream(body: WireAnswer['body']): body is readonly string[] {
  return Array.isArray(body);
}
