import type { PressureLevel } from '../../shared/contract.ts';
import type { Book } from './book.ts';
import { isVictim } from './evict.ts';
import { explain } from './explain.ts';
import type { ModelEntry } from './model-entry.ts';

/** Linux averages pressure over ten seconds: what one model gave back cannot be seen before. */
const PACE_MS = 10_000;

/**
 * Unloads idle models for a system that is short of memory: the longest idle first and one at a time, or all when it is
 * critical. Only while the readings still say so: what was reached a moment ago is no reason to go on.
 * @param read what the newest reading says
 */
export function relieve(book: Book, read: PressureLevel): void {
  const steady = book.pressure.level;
  if (read === 'normal' || steady === 'normal') return;
  const isCritical = read === 'critical' && steady === 'critical';
  if (!isCritical && book.nowMs - book.relievedMs < PACE_MS) return;
  const idle = longestIdleFirst(book);
  for (const entry of isCritical ? idle : idle.slice(0, 1)) {
    book.relievedMs = book.nowMs;
    book.evictions += 1;
    book.stop(entry, explain.relieved(entry, book.nowMs, steady, book.seen()));
  }
}

function longestIdleFirst(book: Book): readonly ModelEntry[] {
  const { view } = book.situation();
  return [...book.entries.values()]
    .filter((entry) => isVictim(entry, view))
    .sort((a, b) => a.lastUsedMs - b.lastUsedMs);
}
