import type { StreamPart } from '../../../shared/generation.ts';

/** Text that follows text goes out at most this often, half a frame: a message costs more than a fast model's token. */
const TEXT_INTERVAL_MS = 8;

/**
 * Gathers the parts of all generations and sends them together, at most once per turn of the event loop, with the text
 * of one generation joined. A generation's first text, text after a
 * pause, and everything that is not text go out with the present turn.
 */
export class Outbox {
  readonly #send: (parts: [number, StreamPart][]) => void;
  readonly #schedule: (flush: () => void, delayMs: number) => void;
  readonly #monotonicMs: () => number;
  #parts: [number, StreamPart][] = [];
  #sentMs = Number.NEGATIVE_INFINITY;
  /** Generations of which some text was added, until they end. */
  readonly #begun = new Set<number>();
  /** What is scheduled: a flush with this turn, or one when the interval is over. */
  #scheduled: 'nothing' | 'later' | 'now' = 'nothing';

  constructor(
    send: (parts: [number, StreamPart][]) => void,
    schedule: (flush: () => void, delayMs: number) => void = onLoop,
    monotonicMs: () => number = () => performance.now(),
  ) {
    this.#send = send;
    this.#schedule = schedule;
    this.#monotonicMs = monotonicMs;
  }

  add(id: number, part: StreamPart): void {
    if (part.type !== 'text-delta' || !this.#joined(id, part.text)) this.#parts.push([id, part]);
    const waitMs = this.#mayWait(id, part) ? this.#sentMs + TEXT_INTERVAL_MS - this.#monotonicMs() : 0;
    const wanted = waitMs > 0 ? 'later' : 'now';
    if (this.#scheduled === 'now' || this.#scheduled === wanted) return;
    this.#scheduled = wanted;
    this.#schedule(() => this.#flush(), Math.max(0, waitMs));
  }

  /** A generation's first text does not wait, whatever others have just sent; nor does its end. */
  #mayWait(id: number, part: StreamPart): boolean {
    if (part.type !== 'text-delta') {
      this.#begun.delete(id);
      return false;
    }
    const hasBegun = this.#begun.has(id);
    this.#begun.add(id);
    return hasBegun;
  }

  #joined(id: number, text: string): boolean {
    const index = this.#parts.findLastIndex(([other]) => other === id);
    const last = this.#parts[index]?.[1];
    if (last?.type !== 'text-delta') return false;
    this.#parts[index] = [id, { type: 'text-delta', text: last.text + text }];
    return true;
  }

  #flush(): void {
    // A later flush may find that an earlier one took everything.
    if (this.#parts.length === 0) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#scheduled = 'nothing';
    this.#sentMs = this.#monotonicMs();
    this.#send(parts);
  }
}

function onLoop(flush: () => void, delayMs: number): void {
  if (delayMs > 0) setTimeout(flush, delayMs);
  else setImmediate(flush);
}
