import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/units.ts';

export type Fetch = typeof globalThis.fetch;

export interface FetchGuard {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** For messages. */
  readonly provider: string;
  /** Where the API is. Nothing but its scheme, host and port is asked. */
  readonly origin: string;
  /** Nothing for so long, before the answer or within it, ends it. */
  readonly timeoutMs: number;
  /** Larger answers are ended: nobody means them. */
  readonly maxBytes: number;
}

/**
 * A fetch that can do no more than ask one address. Keys go with its requests, so another address is an error, and so
 * is a redirect; and an answer that stays away, in whole or in part, ends.
 *
 * It throws RoundhouseErrors: `provider_timeout`, and `provider_error` for whatever else the network does. When the
 * request's signal aborts it throws the signal's reason.
 */
export function guardedFetch(guard: FetchGuard): Fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    refuseOtherAddress(guard, url);
    const call = new Call(guard, init.signal ?? null);
    try {
      const response = await call.watched(
        guard.fetch(url, { ...init, redirect: 'manual', signal: call.signal }),
      );
      if (response.status >= 300 && response.status < 400) {
        call.end();
        throw new RoundhouseError(
          'provider_error',
          `${guard.provider} redirects (${response.status}), which is not followed: set its baseUrl in models.yaml ` +
            'to where its API is.',
        );
      }
      if (response.body === null) {
        call.end();
        return response;
      }
      return new Response(call.body(response.body), response);
    } catch (error) {
      call.end();
      throw error;
    }
  };
}

function refuseOtherAddress({ origin, provider }: FetchGuard, url: URL): void {
  if (url.origin !== origin) throw new Error(`${provider} is at ${origin}: ${url.origin} is not asked`);
}

/** One request, from its beginning to the end of its answer. */
class Call {
  readonly #guard: FetchGuard;
  readonly #asked: AbortSignal | null;
  readonly #controller = new AbortController();
  readonly #abort = () => this.#controller.abort(this.#asked?.reason);

  constructor(guard: FetchGuard, asked: AbortSignal | null) {
    this.#guard = guard;
    this.#asked = asked;
    if (asked?.aborted) this.#abort();
    else asked?.addEventListener('abort', this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Frees what the call holds. What of the answer has not come yet will not. */
  end(): void {
    this.#asked?.removeEventListener('abort', this.#abort);
    this.#controller.abort(new RoundhouseError('cancelled', 'the answer is not wanted any more'));
  }

  /** Waits for what the network owes us, no longer than the time-out. */
  async watched<Value>(owed: Promise<Value>): Promise<Value> {
    const { clock, timeoutMs, provider } = this.#guard;
    const { promise: late, reject } = Promise.withResolvers<never>();
    using _timer = clock.after(timeoutMs, () =>
      reject(
        new RoundhouseError(
          'provider_timeout',
          `${provider} sent nothing for ${formatDuration(timeoutMs)} (providers.${provider}.timeout in models.yaml).`,
        ),
      ),
    );
    // It fails too when the call is ended, and then nobody waits for it.
    owed.catch(() => {});
    try {
      return await Promise.race([owed, late]);
    } catch (error) {
      if (this.#asked?.aborted) throw this.#asked.reason;
      throw this.#failure(error);
    }
  }

  /**
   * The answer's bytes. The time in which nobody asks for more does not count: a slow reader is not a slow provider.
   */
  body(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
    const reader = bytes.getReader();
    let total = 0;
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: async (controller) => {
          try {
            const { done, value } = await this.watched(reader.read());
            if (done) {
              this.end();
              controller.close();
              return;
            }
            total += value.byteLength;
            if (total > this.#guard.maxBytes) throw tooLarge(this.#guard);
            controller.enqueue(value);
          } catch (error) {
            this.end();
            throw error;
          }
        },
        cancel: () => this.end(),
      },
      { highWaterMark: 0 },
    );
  }

  /** What the network said, in our words. Its own error names addresses and headers: it is not kept. */
  #failure(error: unknown): RoundhouseError {
    if (error instanceof RoundhouseError) return error;
    const { provider, origin } = this.#guard;
    const code = networkCode(error);
    if (/TIMEOUT|TIMEDOUT/.test(code)) {
      return new RoundhouseError('provider_timeout', `${provider} at ${origin} took too long (${code}).`);
    }
    const why = code === '' ? '' : ` (${code})`;
    return new RoundhouseError(
      'provider_error',
      `${provider} could not be reached at ${origin}, or the connection broke${why}. Is it running, and is ` +
        'its baseUrl in models.yaml right?',
    );
  }
}

function tooLarge({ provider, maxBytes }: FetchGuard): RoundhouseError {
  return new RoundhouseError(
    'provider_error',
    `${provider} sent more than ${maxBytes} bytes, so it was ended.`,
  );
}

/** `ECONNREFUSED` and the like, from wherever the error has it; an empty text where it has none. */
function networkCode(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code: unknown = Reflect.get(cause, 'code');
    if (typeof code === 'string' && /^[A-Z_]+$/.test(code)) return code;
  }
  return '';
}
