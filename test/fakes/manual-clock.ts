import type { Clock } from '../../src/shared/clock.ts';

interface Timer {
  dueMs: number;
  readonly order: number;
  readonly intervalMs: number | null;
  readonly run: () => void;
}

/**
 * A clock that stands still until `advance` moves it. Timers run inside `advance`, in the order of their due times
 * (then of their creation), each seeing the time it was due at; timers they start run too when they fall within it.
 */
export class ManualClock implements Clock {
  readonly #startWallMs: number;
  readonly #timers = new Set<Timer>();
  readonly #waiters = new Set<{ readonly count: number; readonly resolve: () => void }>();
  #elapsedMs = 0;
  #created = 0;

  constructor(startWallMs = Date.UTC(2026, 0, 1)) {
    this.#startWallMs = startWallMs;
  }

  nowMs(): number {
    return this.#startWallMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, run: () => void): Disposable {
    return this.#add(delayMs, null, run);
  }

  every(intervalMs: number, run: () => void): Disposable {
    if (!(intervalMs > 0)) throw new RangeError(`an interval must be above 0 ms, not ${intervalMs}`);
    return this.#add(intervalMs, intervalMs, run);
  }

  /** Moves time forward by `ms` and runs what falls due, synchronously. */
  advance(ms: number): void {
    const untilMs = this.#elapsedMs + ms;
    for (let next = this.#nextUntil(untilMs); next !== null; next = this.#nextUntil(untilMs)) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      if (next.intervalMs === null) this.#timers.delete(next);
      else next.dueMs += next.intervalMs;
      next.run();
    }
    this.#elapsedMs = untilMs;
  }

  /** Timers not yet run or disposed: a test that ends with any has found a leak. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Resolves when at least `count` timers are pending: the event to wait for before `advance`. */
  async untilTimers(count: number): Promise<void> {
    if (this.#timers.size >= count) return;
    await new Promise<void>((resolve) => this.#waiters.add({ count, resolve }));
  }

  #add(delayMs: number, intervalMs: number | null, run: () => void): Disposable {
    const dueMs = this.#elapsedMs + Math.max(0, delayMs);
    const timer: Timer = { dueMs, order: this.#created, intervalMs, run };
    this.#created += 1;
    this.#timers.add(timer);
    for (const waiter of this.#waiters) {
      if (this.#timers.size < waiter.count) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  #nextUntil(untilMs: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue;
      if (
        next === null ||
        timer.dueMs < next.dueMs ||
        (timer.dueMs === next.dueMs && timer.order < next.order)
      )
        next = timer;
    }
    return next;
  }
}
