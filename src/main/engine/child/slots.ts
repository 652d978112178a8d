/** A slot as the choice sees it: the tokens whose state it holds, and when it was last used. */
export interface SlotView {
  readonly busy: boolean;
  readonly tokens: readonly number[];
  readonly lastUsed: number;
}

/**
 * The free slot that saves most prefill: the one with the longest common prefix with `tokens`; among equals the one
 * that was used longest ago, so that what was read recently stays.
 * @returns its index, or −1 when all are busy
 */
export function chooseSlot(slots: readonly SlotView[], tokens: readonly number[]): number {
  let best = -1;
  let bestPrefix = -1;
  for (const [index, slot] of slots.entries()) {
    if (slot.busy) continue;
    const prefix = commonPrefixLength(slot.tokens, tokens);
    const olderThanBest = best !== -1 && slot.lastUsed < (slots[best]?.lastUsed ?? 0);
    if (prefix > bestPrefix || (prefix === bestPrefix && olderThanBest)) {
      best = index;
      bestPrefix = prefix;
    }
  }
  return best;
}

export function commonPrefixLength(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}
