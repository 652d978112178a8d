import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/units.ts';
import { type RateLimits, type RateUse, RateWindow } from './rate-window.ts';
import { wait } from './wait.ts';

/** A wait up to this is made; a longer one is told to the caller, who may have somewhere else to go. */
const MAX_WAIT_MS = 2000;

/** Keeps a provider's requests below what it allows in a minute, by letting those wait that need to wait for a moment. */
export class RateLimiter {
  readonly #provider: string;
  readonly #clock: Clock;
  readonly #window: RateWindow;

  constructor(provider: string, limits: RateLimits, clock: Clock) {
    this.#provider = provider;
    this.#clock = clock;
    this.#window = new RateWindow(limits);
  }

  /**
   * Resolves when the request may begin.
   * @param tokens what it will take, as far as is known
   * @returns to be told what it really took
   * @throws RoundhouseError `provider_rate_limited`, with how long to wait; or the signal's reason
   */
  async enter(tokens: number, signal: AbortSignal): Promise<{ took(tokens: number): void }> {
    signal.throwIfAborted();
    const nowMs = this.#clock.monotonicMs();
    const startMs = this.#window.earliestMs(nowMs, tokens);
    if (startMs - nowMs > MAX_WAIT_MS) throw this.#tooMany(nowMs, startMs - nowMs);
    const turn = this.#window.take(startMs, tokens);
    try {
      await wait(this.#clock, startMs - nowMs, signal);
    } catch (error) {
      this.#window.giveBack(turn);
      throw error;
    }
    return {
      took(taken) {
        turn.tokens = taken;
      },
    };
  }

  use(): RateUse {
    return this.#window.use(this.#clock.monotonicMs());
  }

  #tooMany(nowMs: number, retryAfterMs: number): RoundhouseError {
    const { requestsPerMinute: requests, tokensPerMinute: tokens } = this.#window.use(nowMs);
    const used = [
      requests && `${requests.used} of ${requests.limit} requests`,
      tokens && `${tokens.used} of ${tokens.limit} tokens`,
    ];
    return new RoundhouseError(
      'provider_rate_limited',
      `Within a minute ${used.filter((text) => text !== null).join(' and ')} were sent to ${this.#provider} ` +
        `(providers.${this.#provider}.limits in models.yaml); try again in ${formatDuration(retryAfterMs)}.`,
      { retryAfterMs },
    );
  }
}
