import type { DecisionView } from '../shared/contract.ts';

const KEPT = 1000;

/** The last thousand decisions, each a sentence with its numbers. */
export class Decisions {
  readonly #kept: DecisionView[] = [];
  #lastId = 0;

  add(atMs: number, modelId: string | null, text: string): DecisionView {
    const decision: DecisionView = { id: ++this.#lastId, atMs, modelId, text };
    this.#kept.push(decision);
    if (this.#kept.length > KEPT) this.#kept.shift();
    return decision;
  }

  /** The newest `count`, the newest last. */
  latest(count = KEPT): readonly DecisionView[] {
    return this.#kept.slice(-count);
  }
}
