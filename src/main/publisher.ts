import type { Clock } from '../shared/clock.ts';
import type { AppEvent, DecisionView, Snapshot } from '../shared/contract.ts';

/** Changes are told at most this often: as often as a screen shows them. */
const INTERVAL_MS = 16;

/**
 * Tells subscribers what changed. State is looked at, not pushed: after each sign of change a new snapshot is taken and
 * what differs from the last one is sent, so that nobody has to remember to announce a change.
 */
export class Publisher {
  readonly #clock: Clock;
  readonly #snapshot: () => Snapshot;
  readonly #listeners = new Set<(event: AppEvent) => void>();
  #last: Snapshot | null = null;
  #due: Disposable | null = null;

  constructor(clock: Clock, snapshot: () => Snapshot) {
    this.#clock = clock;
    this.#snapshot = snapshot;
  }

  get hasSubscribers(): boolean {
    return this.#listeners.size > 0;
  }

  subscribe(listener: (event: AppEvent) => void): Disposable {
    this.#flush();
    this.#last = this.#snapshot();
    this.#listeners.add(listener);
    listener({ type: 'snapshot', snapshot: this.#last });
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Something may have changed. */
  changed(): void {
    if (this.#due || this.#listeners.size === 0) return;
    this.#due = this.#clock.after(INTERVAL_MS, () => this.#flush());
  }

  decided(decision: DecisionView): void {
    this.#tell({ type: 'decision', decision });
  }

  #flush(): void {
    this.#due?.[Symbol.dispose]();
    this.#due = null;
    if (this.#listeners.size === 0 || !this.#last) return;
    const last = this.#last;
    const now = this.#snapshot();
    this.#last = now;
    if (!sameFrame(last, now)) return this.#tell({ type: 'snapshot', snapshot: now });
    for (const [index, model] of now.models.entries()) {
      if (!equal(model, last.models[index])) this.#tell({ type: 'model', model });
    }
    for (const [index, provider] of now.providers.entries()) {
      if (!equal(provider, last.providers[index])) this.#tell({ type: 'provider', provider });
    }
    if (!equal(now.memory, last.memory)) this.#tell({ type: 'memory', memory: now.memory });
  }

  #tell(event: AppEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** Whether the two differ at most in what has events of its own: models and providers (the same ones), memory, decisions. */
function sameFrame(a: Snapshot, b: Snapshot): boolean {
  const frame = ({ models, providers, memory: _memory, decisions: _decisions, ...rest }: Snapshot) => ({
    ...rest,
    ids: models.map((model) => model.id),
    names: providers.map((provider) => provider.name),
  });
  return equal(frame(a), frame(b));
}

function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
