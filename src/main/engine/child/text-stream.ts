/** What a decoder gives, once, for the beginning of a character whose other bytes are missing. */
const REPLACEMENT = '\uFFFD';
/** The beginning of a character is at most three bytes, and a token at least one. */
const TOKENS_OF_ONE_BEGINNING = 3;
/** Some tokenizers write a space or not depending on what came before; this many tokens tell. */
const TOKENS_BEFORE = 3;
/** Tokens may go on ending inside characters for long; decoding them all again each time would get slow. */
const MAX_PENDING = 16;

/** Decodes `tokens` to text, knowing the tokens before them. */
export type Detokenize<Token> = (tokens: readonly Token[], before: readonly Token[]) => string;

/**
 * Turns tokens into text that may be shown: a character split over tokens is held back until it is whole, and text
 * that could be the beginning of a stop string is held back until it is or is not one.
 *
 * The texts returned by `push` and `end`, joined, are the whole answer, cut before the stop string that is complete
 * first, however the text is split into tokens. Source of the rules: OpenAI API, "stop". No text holds half a
 * character; bytes that are none come out as U+FFFD.
 */
export class TextStream<Token> {
  readonly #detokenize: Detokenize<Token>;
  readonly #stops: readonly string[];
  #before: readonly Token[];
  /** Tokens since the last one that ended with a whole character. */
  #pending: readonly Token[] = [];
  /** How much of the text of `#pending` is out already. */
  #released = 0;
  /** Text that is decoded and might begin a stop string. */
  #held = '';
  #stopped = false;

  /** @param before what the tokens follow: a prompt that the text continues */
  constructor(detokenize: Detokenize<Token>, stops: readonly string[], before: readonly Token[] = []) {
    this.#detokenize = detokenize;
    // No text holds half a surrogate pair, and looking for one would cut characters in two.
    this.#stops = stops.filter((stop) => stop.isWellFormed());
    this.#before = before.slice(-TOKENS_BEFORE);
  }

  /** True once a stop string was found: nothing more will come out. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** @returns text that is now safe to show, often empty */
  push(token: Token): string {
    if (this.#stopped) return '';
    this.#pending = [...this.#pending, token];
    const text = this.#detokenize(this.#pending, this.#before);
    const whole = withoutBeginning(text);
    const fresh = whole.slice(this.#released);
    this.#released = whole.length;
    if (whole === text) this.#advance(this.#pending.length);
    else if (this.#pending.length > MAX_PENDING) this.#advance(MAX_PENDING - TOKENS_OF_ONE_BEGINNING);
    return this.#release(fresh);
  }

  /** The generation has ended: gives what was held back, less an unfinished character. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }

  /** The first `count` tokens are done with; of what remains, all that is whole is out. */
  #advance(count: number): void {
    this.#before = [...this.#before, ...this.#pending.slice(0, count)].slice(-TOKENS_BEFORE);
    this.#pending = this.#pending.slice(count);
    this.#released =
      this.#pending.length === 0 ? 0 : withoutBeginning(this.#detokenize(this.#pending, this.#before)).length;
  }

  #release(text: string): string {
    if (this.#stops.length === 0) return text;
    const candidate = this.#held + text;
    const cut = firstStop(candidate, this.#stops);
    if (cut !== -1) {
      this.#stopped = true;
      this.#held = '';
      return candidate.slice(0, cut);
    }
    const keep = longestStopPrefixAtEnd(candidate, this.#stops);
    this.#held = candidate.slice(candidate.length - keep);
    return candidate.slice(0, candidate.length - keep);
  }
}

function withoutBeginning(text: string): string {
  return text.endsWith(REPLACEMENT) ? text.slice(0, -1) : text;
}

/** Where the stop string begins that is complete first, the longest of several; −1 when there is none. */
function firstStop(text: string, stops: readonly string[]): number {
  let first = -1;
  let firstEnd = Number.POSITIVE_INFINITY;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    const end = at + stop.length;
    if (at === -1 || end > firstEnd || (end === firstEnd && at >= first)) continue;
    first = at;
    firstEnd = end;
  }
  return first;
}

/** How many characters at the end of `text` are the beginning of a stop string. */
function longestStopPrefixAtEnd(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) {
        longest = length;
        break;
      }
    }
  }
  return longest;
}
