import type { Clock } from '../../shared/clock.ts';

const MOST_ANSWERS = 50;

/**
 * Keeps answers for a while, so that several who look at the same thing cost one question, also while it is being
 * answered. What fails is not kept.
 */
export class Cached<Input, Output> {
  readonly #clock: Clock;
  readonly #keptMs: number;
  readonly #ask: (input: Input) => Promise<Output>;
  readonly #answers = new Map<string, { readonly untilMs: number; readonly answer: Promise<Output> }>();

  constructor(clock: Clock, keptMs: number, ask: (input: Input) => Promise<Output>) {
    this.#clock = clock;
    this.#keptMs = keptMs;
    this.#ask = ask;
  }

  get(input: Input): Promise<Output> {
    const key = JSON.stringify(input);
    const nowMs = this.#clock.monotonicMs();
    const known = this.#answers.get(key);
    if (known && nowMs < known.untilMs) return known.answer;
    const answer = this.#ask(input);
    this.#answers.delete(key);
    this.#answers.set(key, { untilMs: nowMs + this.#keptMs, answer });
    // The oldest question is the first of the map.
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > MOST_ANSWERS && oldest !== undefined) this.#answers.delete(oldest);
    answer.catch(() => {
      if (this.#answers.get(key)?.answer === answer) this.#answers.delete(key);
    });
    return answer;
  }
}
