/** What a decoder gives for bytes that are not (yet) a whole character. */
const REPLACEMENT = '\uFFFD';
/** UTF-8 takes four bytes at most, so a longer tail of undecodable tokens is damage, not a beginning. */
const MAX_TOKENS_OF_ONE_CHARACTER = 4;

/** Decodes `tokens` to text, knowing the tokens before them. */
export type Detokenize<Token> = (tokens: readonly Token[], before: readonly Token[]) => string;

/**
 * Turns tokens into text that may be shown: a character split over tokens is held back until it is whole, and text
 * that could be the beginning of a stop string is held back until it is or is not one.
 *
 * The texts returned by `push` and `end`, joined, are the whole answer, cut before the first stop string. Source of the
 * rules: OpenAI API, "stop"; `text` never holds half a character.
 */
export class TextStream<Token> {
  readonly #detokenize: Detokenize<Token>;
  readonly #stops: readonly string[];
  /** Tokens whose text is not out yet because they end inside a character. */
  #pending: Token[] = [];
  #before: Token[] = [];
  /** Text that is decoded and might begin a stop string. */
  #held = '';
  #stopped = false;

  constructor(detokenize: Detokenize<Token>, stops: readonly string[]) {
    this.#detokenize = detokenize;
    this.#stops = stops;
  }

  /** True once a stop string was found: nothing more will come out. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** @returns text that is now safe to show, often empty */
  push(token: Token): string {
    if (this.#stopped) return '';
    this.#pending.push(token);
    const text = this.#detokenize(this.#pending, this.#before);
    if (text.endsWith(REPLACEMENT) && this.#pending.length < MAX_TOKENS_OF_ONE_CHARACTER) return '';
    this.#before = this.#pending;
    this.#pending = [];
    return this.#release(text);
  }

  /** The generation has ended: gives what was held back, less an unfinished character. */
  end(): string {
    if (this.#stopped) return '';
    const tail =
      this.#pending.length === 0 ? '' : this.#detokenize(this.#pending, this.#before).replace(/\uFFFD+$/, '');
    this.#pending = [];
    const rest = this.#release(tail) + (this.#stopped ? '' : this.#held);
    this.#held = '';
    return rest;
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

function firstStop(text: string, stops: readonly string[]): number {
  let first = -1;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at !== -1 && (first === -1 || at < first)) first = at;
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
