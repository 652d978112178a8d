import { InsufficientMemoryError } from 'node-llama-cpp';
import { RoundhouseError } from '../../../shared/errors.ts';

/** Words of ggml's CPU and Metal backends, of mmap and of C++ for memory that could not be had. */
const NO_MEMORY =
  /insufficient memory|out of memory|not enough memory|cannot allocate memory|(failed|unable) to allocate|bad_alloc/i;
const KEPT_LINES = 50;

/** What llama.cpp logs while it loads a model. Its errors only say that it failed; the reason is in the log. */
export class LoadLog {
  #lines: string[] = [];

  begin(): void {
    this.#lines = [];
  }

  add(text: string): void {
    if (this.#lines.length < KEPT_LINES) this.#lines.push(text.trim());
  }

  /** What was thrown, as `insufficient_memory` where that was the reason, else as `model_load_failed`. */
  errorOf(thrown: unknown): RoundhouseError {
    if (thrown instanceof RoundhouseError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const line = [...this.#lines, message].find((text) => NO_MEMORY.test(text));
    if (line !== undefined || thrown instanceof InsufficientMemoryError) {
      const words = `the system had no memory for it (${line ?? message})`;
      return new RoundhouseError('insufficient_memory', words, { cause: thrown });
    }
    return new RoundhouseError('model_load_failed', `llama.cpp cannot load this file: ${message}`, {
      cause: thrown,
    });
  }
}
