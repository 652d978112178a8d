import type { Arrival } from './workload.ts';

/** What no server can know: when each model will be asked for. */
export class Future {
  readonly #arrivalsMs = new Map<string, number[]>();

  constructor(arrivals: readonly Arrival[]) {
    for (const { model, atMs } of arrivals) {
      const times = this.#arrivalsMs.get(model.id);
      if (times) times.push(atMs);
      else this.#arrivalsMs.set(model.id, [atMs]);
    }
  }

  /** When the model is asked for next after `nowMs`. */
  nextUseMs(modelId: string, nowMs: number): number {
    const times = this.#arrivalsMs.get(modelId) ?? [];
    let [low, high] = [0, times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((times[middle] ?? 0) <= nowMs) low = middle + 1;
      else high = middle;
    }
    return times[low] ?? Number.MAX_SAFE_INTEGER;
  }
}
