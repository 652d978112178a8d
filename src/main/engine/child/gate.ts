/**
 * Between two tokens every generation looks whether the gate is open, and waits if it is not. node-llama-cpp decodes for
 * as long as anybody has asked for a token, and lets nobody change a slot's state meanwhile: without the gate a request
 * that has to would wait until all others have ended.
 */
export class Gate {
  #closers = 0;
  #opened: PromiseWithResolvers<void> | null = null;

  /** Resolves when the gate is open; `null` while it is. */
  get opened(): Promise<void> | null {
    return this.#opened?.promise ?? null;
  }

  /** Keeps the gate closed while `run` runs; several may. */
  async closedWhile(run: () => Promise<void>): Promise<void> {
    this.#closers++;
    this.#opened ??= Promise.withResolvers();
    try {
      await run();
    } finally {
      this.#closers--;
      if (this.#closers === 0) {
        this.#opened.resolve();
        this.#opened = null;
      }
    }
  }
}
