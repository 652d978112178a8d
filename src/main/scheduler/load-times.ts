/** Weight of the newest load in the running means. */
const NEWEST = 0.2;

/** How long loads take on this machine, learned from those that were seen. */
export class LoadTimes {
  /** Running mean over all models; 0 before the first load. */
  meanMs = 0;
  #msPerByte = 0;
  readonly #msOf = new Map<string, number>();

  loaded(modelId: string, bytes: number, ms: number): void {
    const first = this.meanMs === 0;
    this.meanMs += (ms - this.meanMs) * (first ? 1 : NEWEST);
    if (bytes > 0) this.#msPerByte += (ms / bytes - this.#msPerByte) * (first ? 1 : NEWEST);
    const before = this.#msOf.get(modelId) ?? ms;
    this.#msOf.set(modelId, before + (ms - before) * NEWEST);
  }

  /** Milliseconds: as measured for this model, else by its bytes and how quick the loads of others were. */
  of(modelId: string, bytes: number): number {
    return this.#msOf.get(modelId) ?? bytes * this.#msPerByte;
  }

  forget(modelId: string): void {
    this.#msOf.delete(modelId);
  }
}
