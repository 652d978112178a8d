import { join } from 'node:path';
import type { OfferedPrefix, PrefixOffer } from '../protocol-prefix.ts';
import { commonPrefixLength } from './slots.ts';
import { checksumOf, readStateTokens } from './state-file.ts';

/** A state on disk that this model may restore. */
export interface SavedState extends OfferedPrefix {
  readonly path: string;
  readonly ids: Uint32Array;
}

/** A state, and how many tokens of a prompt it holds. */
export interface FoundState {
  readonly state: SavedState;
  readonly tokens: number;
}

/** The states that the app offered, as far as they are what they should be. */
export class SavedStates {
  readonly #onBroken: (file: string, reason: string) => void;
  /** Read while the model is loaded; nobody waits for it before the first prompt. */
  readonly #read: Promise<void>;
  #states: readonly SavedState[] = [];

  /** @param onBroken told of each file that is not what was saved */
  constructor(offer: PrefixOffer, onBroken: (file: string, reason: string) => void) {
    this.#onBroken = onBroken;
    this.#read = Promise.all(offer.states.map((state) => this.#open(offer.dir, state))).then((states) => {
      this.#states = states.filter((state) => state !== null);
    });
  }

  /** The state that shares the longest beginning with a prompt; `null` when none shares any. */
  async longestCommon(prompt: readonly number[]): Promise<FoundState | null> {
    await this.#read;
    const found = this.#states.map((state) => ({ state, tokens: commonPrefixLength(state.ids, prompt) }));
    // Among equals the smaller file.
    const [best] = found.toSorted((a, b) => b.tokens - a.tokens || a.state.bytes - b.state.bytes);
    return best && best.tokens > 0 ? best : null;
  }

  /** Whether the whole file is still what was saved. One that is not is told of and forgotten. */
  async isWhole(state: SavedState): Promise<boolean> {
    try {
      const { bytes, crc32 } = await checksumOf(state.path);
      if (bytes === state.bytes && crc32 === state.crc32) return true;
      this.giveUp(state, bytes === state.bytes ? 'its checksum is wrong' : `it has ${bytes} bytes`);
    } catch (error) {
      this.giveUp(state, messageOf(error));
    }
    return false;
  }

  giveUp(state: SavedState, reason: string): void {
    this.#states = this.#states.filter((other) => other !== state);
    this.#onBroken(state.file, reason);
  }

  /** Files whose tokens are a beginning of these, and whether one holds all of these. */
  async coveredBy(
    tokens: readonly number[],
  ): Promise<{ readonly replaces: string[]; readonly isSaved: boolean }> {
    await this.#read;
    const replaces: string[] = [];
    for (const { file, ids } of this.#states) {
      const common = commonPrefixLength(ids, tokens);
      if (common === tokens.length) return { replaces: [], isSaved: true };
      if (common === ids.length) replaces.push(file);
    }
    return { replaces, isSaved: false };
  }

  async #open(dir: string, offered: OfferedPrefix): Promise<SavedState | null> {
    const path = join(dir, offered.file);
    try {
      return { ...offered, path, ids: await readStateTokens(path, offered) };
    } catch (error) {
      this.#onBroken(offered.file, messageOf(error));
      return null;
    }
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
