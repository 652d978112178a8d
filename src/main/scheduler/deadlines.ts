import type { Book } from './book.ts';
import type { ModelEntry } from './model-entry.ts';
import { heldUntilMs, patientUntilMs, turnMs } from './turns.ts';
import { needsRoom } from './waiting.ts';

/** When something is due although nothing happens: a wait too long, an idle model, an end of backoff. */
export function nextDeadlineMs(book: Book): number | null {
  const deadlines: number[] = [];
  const roomNeeded = needsRoom(book) || book.ledger.freeBytes < 0;
  const boundMs = book.waitBoundMs;
  for (const entry of book.entries.values()) {
    const { oldestArrivalMs, waitsSinceMs } = entry;
    if (oldestArrivalMs !== null && waitsSinceMs !== null) {
      deadlines.push(oldestArrivalMs + book.settings.maxWaitMs, entry.notBeforeMs);
      deadlines.push(
        waitsSinceMs + boundMs,
        patientUntilMs(waitsSinceMs, boundMs),
        heldUntilMs(waitsSinceMs),
      );
    }
    deadlines.push(idleUnloadAtMs(entry) ?? 0);
    if (roomNeeded && entry.state.status === 'ready') {
      const { sinceMs } = entry.state;
      const loadMs = book.loadTimes.of(entry.id, entry.lineBytes);
      deadlines.push(sinceMs + book.settings.minResidencyMs, sinceMs + turnMs(loadMs));
    }
  }
  const future = deadlines.filter((ms) => ms > book.nowMs);
  return future.length === 0 ? null : Math.min(...future);
}

/** Monotonic time at which the model is unloaded if nobody asks for it; `null` while it is not going to be. */
export function idleUnloadAtMs(entry: Readonly<ModelEntry>): number | null {
  const { idleUnloadMs } = entry.spec;
  if (entry.state.status !== 'ready' || entry.pinned || idleUnloadMs === null) return null;
  return entry.leases.size > 0 || entry.waiters > 0 ? null : entry.lastUsedMs + idleUnloadMs;
}
