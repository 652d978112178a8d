import type { Clock } from '../../shared/clock.ts';

const MIN_INTERVAL_MS = 1000;
/** Looking at a process holds its memory up: a model that has just loaded gets its first answer out before. */
const AFTER_LOAD_MS = 200;

interface Gauge {
  measuredMs: number;
  pending: Disposable | null;
}

/**
 * Measures what models hold: when asked, but each at most once a second. What is asked too early is measured as soon
 * as that second is over, so that the last change is always seen.
 */
export class Meter {
  readonly #clock: Clock;
  readonly #measure: (modelId: string) => void;
  readonly #gauges = new Map<string, Gauge>();

  constructor(clock: Clock, measure: (modelId: string) => void) {
    this.#clock = clock;
    this.#measure = measure;
  }

  /** The model has just loaded. */
  loaded(modelId: string): void {
    this.forget(modelId);
    const gauge: Gauge = { measuredMs: Number.NEGATIVE_INFINITY, pending: null };
    this.#gauges.set(modelId, gauge);
    gauge.pending = this.#clock.after(AFTER_LOAD_MS, () => this.#now(modelId, gauge));
  }

  /** A request of the model has ended. */
  touch(modelId: string): void {
    const gauge = this.#gauges.get(modelId) ?? { measuredMs: Number.NEGATIVE_INFINITY, pending: null };
    this.#gauges.set(modelId, gauge);
    if (gauge.pending) return;
    const waitMs = gauge.measuredMs + MIN_INTERVAL_MS - this.#clock.monotonicMs();
    if (waitMs <= 0) return this.#now(modelId, gauge);
    gauge.pending = this.#clock.after(waitMs, () => this.#now(modelId, gauge));
  }

  /** The model is gone: nothing of it is measured any more. */
  forget(modelId: string): void {
    this.#gauges.get(modelId)?.pending?.[Symbol.dispose]();
    this.#gauges.delete(modelId);
  }

  [Symbol.dispose](): void {
    for (const modelId of [...this.#gauges.keys()]) this.forget(modelId);
  }

  #now(modelId: string, gauge: Gauge): void {
    gauge.pending = null;
    gauge.measuredMs = this.#clock.monotonicMs();
    this.#measure(modelId);
  }
}
