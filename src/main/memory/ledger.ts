/**
 * Who holds which bytes of the one budget. A line is reserved before memory is used and released when the memory was
 * seen to be back; between the two it may grow when measuring shows more than was predicted.
 *
 * Invariant: no `reserve` ever brings the sum of lines above the budget. (Growth and a lowered budget can: that is an
 * overrun, and nothing more is reserved until it is over.)
 */
export class Ledger {
  readonly #lines = new Map<string, number>();
  #budgetBytes: number;
  #reservedBytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get budgetBytes(): number {
    return this.#budgetBytes;
  }

  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** Negative during an overrun. */
  get freeBytes(): number {
    return this.#budgetBytes - this.#reservedBytes;
  }

  lineBytes(holder: string): number {
    return this.#lines.get(holder) ?? 0;
  }

  setBudget(bytes: number): void {
    this.#budgetBytes = bytes;
  }

  /** @throws Error when the holder has a line, or the budget would be passed: the caller has to ask `freeBytes` first */
  reserve(holder: string, bytes: number): void {
    if (this.#lines.has(holder)) throw new Error(`${holder} already has a line in the ledger`);
    if (bytes > this.freeBytes) {
      throw new Error(`${holder} needs ${bytes} bytes and only ${this.freeBytes} are free`);
    }
    this.#set(holder, bytes);
  }

  /** Writes down what is held already, whether or not there is room for it; 0 takes the line away. */
  hold(holder: string, bytes: number): void {
    this.#set(holder, bytes);
    if (bytes === 0) this.#lines.delete(holder);
  }

  /** @throws Error when the holder has no line: a line is released exactly once */
  release(holder: string): void {
    if (!this.#lines.has(holder)) throw new Error(`${holder} has no line in the ledger`);
    this.#reservedBytes -= this.lineBytes(holder);
    this.#lines.delete(holder);
  }

  #set(holder: string, bytes: number): void {
    this.#reservedBytes += bytes - this.lineBytes(holder);
    this.#lines.set(holder, bytes);
  }
}
