import type { FastifyReply } from 'fastify';
import type { Clock } from '../../shared/clock.ts';

/** A client that takes nothing for this long is given up: it holds a slot that others wait for. */
const STALL_MS = 60_000;

/**
 * One server-sent answer. Until `commit` nothing has been sent and the reply can still become an ordinary error with
 * its status; from then on it belongs to this stream, which ends it with `end` (whole) or `fail` (broken).
 */
export class SseStream {
  readonly #reply: FastifyReply;
  readonly #clock: Clock;
  #committed = false;

  constructor(reply: FastifyReply, clock: Clock) {
    this.#reply = reply;
    this.#clock = clock;
  }

  get committed(): boolean {
    return this.#committed;
  }

  /** Bytes written but not yet taken by the network. */
  get unsentBytes(): number {
    return this.#reply.raw.writableLength;
  }

  /** Sends the status and the headers, with those the reply has so far. Does nothing the second time. */
  commit(): void {
    if (this.#committed) return;
    this.#committed = true;
    this.#reply.hijack();
    const res = this.#reply.raw;
    // A write that meets a closed socket is told twice, as an `error` and as the `close` that the exchange follows.
    res.on('error', () => {});
    for (const [name, value] of Object.entries(this.#reply.getHeaders())) {
      if (value !== undefined) res.setHeader(name, value);
    }
    res.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    res.flushHeaders();
  }

  /** Sends one event: text as it is (it must hold no line break), anything else as JSON. Waits while the client is slow. */
  async send(data: unknown): Promise<void> {
    const res = this.#reply.raw;
    if (res.destroyed || res.write(frame(data))) return;
    const writable = Promise.withResolvers<void>();
    using _stall = this.#clock.after(STALL_MS, () => res.destroy());
    res.once('drain', writable.resolve);
    res.once('close', writable.resolve);
    try {
      await writable.promise;
    } finally {
      res.off('drain', writable.resolve);
      res.off('close', writable.resolve);
    }
  }

  /** Sends one event as `send` does without waiting; the caller watches `unsentBytes`. */
  push(data: unknown): void {
    const res = this.#reply.raw;
    if (!res.destroyed) res.write(frame(data));
  }

  /** Shows that the connection lives; a client that is behind does not need it. */
  comment(text: string): void {
    const res = this.#reply.raw;
    if (res.destroyed || res.writableNeedDrain) return;
    res.write(`: ${text}\n\n`);
  }

  /** Ends the answer as whole; the connection can be used again. */
  end(): void {
    const res = this.#reply.raw;
    if (!res.destroyed) res.end();
  }

  /**
   * Ends the answer as broken: a last event, when there is one to send, then the socket is destroyed without the end
   * that a whole answer has.
   */
  fail(data?: unknown): void {
    const { raw: res } = this.#reply;
    if (res.destroyed) return;
    const { socket } = res;
    if (data === undefined || socket === null) {
      res.destroy();
      return;
    }
    res.write(frame(data));
    // destroySoon lets the last event out first; a client that does not take it is cut off all the same.
    const bound = this.#clock.after(STALL_MS, () => socket.destroy());
    socket.once('close', () => bound[Symbol.dispose]());
    socket.destroySoon();
  }
}

function frame(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}
