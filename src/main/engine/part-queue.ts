import type { StreamPart } from '../../shared/generation.ts';

/** Parts on their way from a process to the one reader of an answer. */
export class PartQueue {
  readonly #parts: StreamPart[] = [];
  #waiting: ((part: StreamPart) => void) | null = null;

  push(part: StreamPart): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting) waiting(part);
    else this.#parts.push(part);
  }

  /** One call at a time. */
  next(): Promise<StreamPart> {
    const part = this.#parts.shift();
    if (part) return Promise.resolve(part);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}
