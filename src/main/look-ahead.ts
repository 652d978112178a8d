/**
 * Looks at models in the background, one after the other, so that what is shown of them is right before anybody has asked
 * for them. Stops when it is disposed.
 */
export class LookAhead implements Disposable {
  readonly #look: (modelId: string) => Promise<void>;
  #waiting: string[] = [];
  #looking = false;
  #disposed = false;

  /** @param look looks at one model; never rejects */
  constructor(look: (modelId: string) => Promise<void>) {
    this.#look = look;
  }

  /** Looks at these, and no longer at those that were still to come; one that is being looked at is finished first. */
  begin(modelIds: readonly string[]): void {
    if (this.#disposed) return;
    this.#waiting = [...modelIds];
    if (!this.#looking) void this.#run();
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#waiting = [];
  }

  async #run(): Promise<void> {
    this.#looking = true;
    for (let id = this.#waiting.shift(); id !== undefined; id = this.#waiting.shift()) await this.#look(id);
    this.#looking = false;
  }
}
