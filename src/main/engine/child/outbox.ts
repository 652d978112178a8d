import type { StreamPart } from '../../../shared/generation.ts';

/**
 * Gathers the parts of all generations and sends them at most once per turn of the event loop, with the text of one
 * generation joined: a message costs more than a token.
 */
export class Outbox {
  readonly #send: (parts: [number, StreamPart][]) => void;
  readonly #schedule: (flush: () => void) => void;
  #parts: [number, StreamPart][] = [];
  #scheduled = false;

  constructor(
    send: (parts: [number, StreamPart][]) => void,
    schedule: (flush: () => void) => void = setImmediate,
  ) {
    this.#send = send;
    this.#schedule = schedule;
  }

  add(id: number, part: StreamPart): void {
    if (part.type !== 'text-delta' || !this.#joined(id, part.text)) this.#parts.push([id, part]);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => this.#flush());
  }

  #joined(id: number, text: string): boolean {
    const index = this.#parts.findLastIndex(([other]) => other === id);
    const last = this.#parts[index]?.[1];
    if (last?.type !== 'text-delta') return false;
    this.#parts[index] = [id, { type: 'text-delta', text: last.text + text }];
    return true;
  }

  #flush(): void {
    this.#scheduled = false;
    const parts = this.#parts;
    this.#parts = [];
    this.#send(parts);
  }
}
