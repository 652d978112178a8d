/*
 * What a provider allows in a minute: requests, and tokens. The minute slides, because a provider's own does: a window
 * that begins anew each minute would let twice as much through around the turn, and earn the refusal it should prevent.
 */

const MINUTE_MS = 60_000;

export interface RateLimits {
  /** `null` = as many as wanted. */
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

export interface RateUse {
  readonly requestsPerMinute: { readonly used: number; readonly limit: number } | null;
  readonly tokensPerMinute: { readonly used: number; readonly limit: number } | null;
}

/** One request that has begun within the last minute, or will begin. */
export interface Turn {
  readonly startMs: number;
  /** Estimated until it has ended. */
  tokens: number;
}

/** Pure: time comes in. Turns are given in order, so nobody who came later begins earlier. */
export class RateWindow {
  readonly #limits: RateLimits;
  /** In order of `startMs`. */
  #turns: Turn[] = [];

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /**
   * The earliest time at which a request of so many tokens may begin, at or after `nowMs`. One that is larger than the
   * whole limit may begin when nothing else is within the minute: whether it is too large the provider decides.
   */
  earliestMs(nowMs: number, tokens: number): number {
    this.#forget(nowMs);
    const { requestsPerMinute, tokensPerMinute } = this.#limits;
    const turns = this.#turns;
    let startMs = Math.max(nowMs, turns.at(-1)?.startMs ?? nowMs);
    if (requestsPerMinute !== null) {
      const mustBePast = turns.at(-requestsPerMinute);
      if (mustBePast) startMs = Math.max(startMs, mustBePast.startMs + MINUTE_MS);
    }
    if (tokensPerMinute !== null) {
      let sum = tokens + turns.reduce((total, turn) => total + turn.tokens, 0);
      for (const turn of turns) {
        if (sum <= tokensPerMinute) break;
        sum -= turn.tokens;
        startMs = Math.max(startMs, turn.startMs + MINUTE_MS);
      }
    }
    return startMs;
  }

  /** Notes a request that will begin at `startMs`, which `earliestMs` has given for it. */
  take(startMs: number, tokens: number): Turn {
    const turn: Turn = { startMs, tokens };
    // Without a limit nothing is counted, so that nothing has to be kept.
    if (this.#limits.requestsPerMinute !== null || this.#limits.tokensPerMinute !== null)
      this.#turns.push(turn);
    return turn;
  }

  /** Takes back a turn that was never used. */
  giveBack(turn: Turn): void {
    this.#turns = this.#turns.filter((other) => other !== turn);
  }

  use(nowMs: number): RateUse {
    this.#forget(nowMs);
    const { requestsPerMinute, tokensPerMinute } = this.#limits;
    const tokens = this.#turns.reduce((total, turn) => total + turn.tokens, 0);
    return {
      requestsPerMinute:
        requestsPerMinute === null ? null : { used: this.#turns.length, limit: requestsPerMinute },
      tokensPerMinute: tokensPerMinute === null ? null : { used: tokens, limit: tokensPerMinute },
    };
  }

  #forget(nowMs: number): void {
    const recent = this.#turns.findIndex((turn) => turn.startMs > nowMs - MINUTE_MS);
    if (recent !== 0) this.#turns = recent === -1 ? [] : this.#turns.slice(recent);
  }
}
