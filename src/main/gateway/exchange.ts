import type { ServerResponse } from 'node:http';
import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { Generation } from './ports.ts';

/** One request on its way through the port: who asks, whether they are still there, and where the time went. */
export interface Exchange {
  readonly requestId: string;
  /** The name of the API key it came with; `null` without a key or for a key without a name. */
  keyName: string | null;
  /** Asked on this machine, under its own name, by no foreign page: such a request may be handed the admin token. */
  isOwn: boolean;
  /** Fires when the client goes away or the port closes; its reason is a `RoundhouseError` that says which. */
  readonly signal: AbortSignal;
  /** What times count for this request: those of the first generation asked, then of the first one to answer. */
  generation: Pick<Generation, 'timing'> | null;
  /** Disposes it when the answer has ended or the client has gone; at once when that has happened already. */
  holdUntilEnd(place: Disposable): void;
  /** Milliseconds spent in Roundhouse itself until now: since arrival, less the generation's waiting and backend. */
  overheadMs(): number;
}

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange;
  }
}

/** The requests being answered now, so that closing the port can end each of them properly. */
export class Exchanges {
  readonly #clock: Clock;
  readonly #open = new Set<AbortController>();
  #whenEmpty: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Starts following one response. After the body was read a request never closes, so it is the response's `close`
   * before everything was written that tells of a client that went away.
   */
  begin(requestId: string, res: ServerResponse): Exchange {
    const clock = this.#clock;
    const arrivedMs = clock.monotonicMs();
    const controller = new AbortController();
    const held: Disposable[] = [];
    this.#open.add(controller);
    const end = () => {
      this.#end(controller);
      for (const place of held.splice(0)) place[Symbol.dispose]();
    };
    res.on('finish', end);
    res.on('close', () => {
      end();
      if (!res.writableFinished) controller.abort(new RoundhouseError('cancelled', 'the client went away'));
    });
    return {
      requestId,
      keyName: null,
      isOwn: false,
      signal: controller.signal,
      generation: null,
      holdUntilEnd: (place) => {
        if (this.#open.has(controller)) held.push(place);
        else place[Symbol.dispose]();
      },
      overheadMs() {
        const spent = this.generation?.timing() ?? { waitMs: 0, backendMs: 0 };
        return Math.max(0, clock.monotonicMs() - arrivedMs - spent.waitMs - spent.backendMs);
      },
    };
  }

  /** Tells every open request that the port closes; resolves when all have ended, or after `boundMs`. */
  async endAll(boundMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    const bounded = Promise.withResolvers<void>();
    using _bound = this.#clock.after(boundMs, bounded.resolve);
    const reason = shuttingDown();
    for (const controller of this.#open) controller.abort(reason);
    await Promise.race([empty, bounded.promise]);
  }

  #end(controller: AbortController): void {
    this.#open.delete(controller);
    if (this.#open.size === 0) this.#whenEmpty?.();
  }
}

/** What a request is told that meets a port on its way down. */
export function shuttingDown(): RoundhouseError {
  return new RoundhouseError('shutting_down', 'Roundhouse is shutting down; try again when it is back.', {
    retryAfterMs: 5000,
  });
}
