/** A saved prefix, or one that could be saved, as its worth is judged. */
export interface Valued {
  readonly bytes: number;
  /** What restoring it saves. */
  readonly prefillMs: number;
  /** Wall time of its last use: it is compared across runs of the app. */
  readonly usedAtMs: number;
}

/** A prefix that was not used for this long is worth half of what it was. */
const HALF_LIFE_MS = 6 * 3600_000;
/** A short prompt is read at once, and its file would only take the place of others. Source: memory.md. */
const MIN_TOKENS = 256;

/** Opening a file, the messages about it, closing the gate. Measured: below 1 ms; more on a busy machine. */
const RESTORE_BASE_MS = 2;

/**
 * Prefill saved × recency per byte, as a logarithm: all prefixes lose worth at the same rate, so that this number orders
 * them for ever, whatever the time is.
 */
export function worthOf({ bytes, prefillMs, usedAtMs }: Valued): number {
  return Math.log2(prefillMs / bytes) + usedAtMs / HALF_LIFE_MS;
}

/** Whether a slot that holds so many tokens is looked at at all. */
export function isLongEnough(tokens: number): boolean {
  return tokens > MIN_TOKENS;
}

/** What restoring a file is expected to take. */
export function restoreMs(bytes: number, restoreMsPerByte: number): number {
  return RESTORE_BASE_MS + bytes * restoreMsPerByte;
}

/** Whether restoring a file is expected to beat reading the tokens again. */
export function beatsPrefill(bytes: number, prefillMs: number, restoreMsPerByte: number): boolean {
  return restoreMs(bytes, restoreMsPerByte) < prefillMs;
}

/**
 * Which of the kept to give up so that `bytes` more fit: the least worth first.
 * @param freeBytes what fits as it is; negative when too much is kept already
 * @param belowWorth only what is worth less may go
 * @returns `null` when the bytes cannot be had
 */
export function victimsFor<Kept extends { readonly bytes: number }>(
  kept: readonly Kept[],
  worth: (kept: Kept) => number,
  bytes: number,
  freeBytes: number,
  belowWorth: number,
): Kept[] | null {
  let missingBytes = bytes - freeBytes;
  const victims: Kept[] = [];
  for (const candidate of kept.toSorted((a, b) => worth(a) - worth(b))) {
    if (missingBytes <= 0 || worth(candidate) >= belowWorth) break;
    victims.push(candidate);
    missingBytes -= candidate.bytes;
  }
  return missingBytes > 0 ? null : victims;
}

/** Milliseconds per unit, as learned: what was seen lately counts most. */
export class LearnedRate {
  #ms: number;
  #units: number;

  /** @param ms what `units` are taken to last until something was seen */
  constructor(ms: number, units: number) {
    this.#ms = ms;
    this.#units = units;
  }

  get msPerUnit(): number {
    return this.#ms / this.#units;
  }

  add(ms: number, units: number): void {
    this.#ms = this.#ms / 2 + ms;
    this.#units = this.#units / 2 + units;
  }

  /** What was too slow to be tried would never be seen again: each time it is left out it is believed a little less. */
  doubt(): void {
    this.#ms *= 0.75;
  }
}
