import type { Clock } from '../../shared/clock.ts';
import type { UsageEvent, UsageRequestView } from '../../shared/usage-contract.ts';

/** As often as a screen shows them. */
const FRAME_MS = 16;
/** More than this in a frame is only counted. */
const MOST_ROWS = 20;

/** Tells those who look of requests as they end, at most once a frame. */
export class LiveRows {
  readonly #clock: Clock;
  readonly #listeners = new Set<(event: UsageEvent) => void>();
  #rows: UsageRequestView[] = [];
  #missed = 0;
  #due: Disposable | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  subscribe(listener: (event: UsageEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** @param view called only when somebody looks */
  ended(view: () => UsageRequestView): void {
    if (this.#listeners.size === 0) return;
    if (this.#rows.length < MOST_ROWS) this.#rows.push(view());
    else this.#missed += 1;
    this.#due ??= this.#clock.after(FRAME_MS, () => this.#tell());
  }

  [Symbol.dispose](): void {
    this.#due?.[Symbol.dispose]();
    this.#listeners.clear();
  }

  #tell(): void {
    const event: UsageEvent = { type: 'usage', rows: this.#rows, missed: this.#missed };
    this.#due = null;
    this.#rows = [];
    this.#missed = 0;
    for (const listener of this.#listeners) listener(event);
  }
}
