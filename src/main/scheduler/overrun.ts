import type { Book } from './book.ts';
import { explain } from './explain.ts';
import type { ModelEntry } from './model-entry.ts';
import { chooseVictims } from './victims.ts';

/** A lowered budget, or growth beyond what was predicted: standbys and idle models go until the budget holds again. */
export function endOverrun(book: Book): void {
  const overrunBytes = -book.ledger.freeBytes;
  if (overrunBytes <= 0) return;
  if (book.overrunSinceMs === null) {
    book.overrunSinceMs = book.nowMs;
    book.explain(null, explain.overrun(overrunBytes, stayingInOverrun(book), book.settings));
  }
  while (book.standbys > 0 && book.ledger.freeBytes < 0) book.stopStandby();
  const { idle, coming, view } = book.situation();
  const overBytes = -book.ledger.freeBytes - coming.bytes;
  if (overBytes <= 0) return;
  const victims = chooseVictims(idle, { bytes: overBytes, models: 0 }, view.eviction);
  for (const id of victims?.ids ?? idle.map((candidate) => candidate.id)) {
    const entry = book.entries.get(id);
    if (!entry) continue;
    book.evictions += 1;
    book.stop(entry, explain.overBudget(entry, overBytes, book.settings));
  }
}

/** Those without whose end the overrun goes on; none when what can go is enough. */
function stayingInOverrun(book: Book): readonly ModelEntry[] {
  const { idle, coming } = book.situation();
  const going = new Set(idle.map(({ id }) => id));
  const goingBytes = idle.reduce((sum, { bytes }) => sum + bytes, coming.bytes + book.standbyBytes);
  if (goingBytes >= -book.ledger.freeBytes) return [];
  return [...book.entries.values()].filter(({ id, lineBytes, state }) => {
    return lineBytes > 0 && !going.has(id) && state.status !== 'stopping';
  });
}

export function tellEndOfOverrun(book: Book): void {
  if (book.overrunSinceMs === null || book.ledger.freeBytes < 0) return;
  const lastedMs = book.nowMs - book.overrunSinceMs;
  book.overrunSinceMs = null;
  book.explain(null, explain.overrunIsOver(lastedMs, book.ledger.reservedBytes, book.settings));
}
