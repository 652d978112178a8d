import type { Book } from './book.ts';
import type { ModelEntry } from './model-entry.ts';
import { type Urgency, urgencyOf } from './turns.ts';

/**
 * Who waits for a load: first the one whose turn comes first, if it is due; then those that serve the most requests for
 * the bytes they load.
 */
export function inOrderOfTurns(book: Book): ModelEntry[] {
  const waiting: ModelEntry[] = [];
  for (const entry of book.entries.values()) {
    if (lacksModel(entry) && !isHeldBack(book, entry)) waiting.push(entry);
  }
  if (waiting.length < 2) return waiting;
  const bytesPerRequest = (entry: ModelEntry) => (entry.neededBytes ?? 0) / entry.waiters;
  const turnOf = (entry: ModelEntry) => entry.waitsSinceMs ?? Number.POSITIVE_INFINITY;
  waiting.sort((a, b) => bytesPerRequest(a) - bytesPerRequest(b) || turnOf(a) - turnOf(b));
  const next = waiting.reduce((first, entry) => (turnOf(entry) < turnOf(first) ? entry : first));
  if (urgencyIn(book, next).kind !== 'due') return waiting;
  return [next, ...waiting.filter((entry) => entry !== next)];
}

export function urgencyIn(book: Book, entry: ModelEntry): Urgency {
  return urgencyOf(waitsSince(book, entry), book.waitBoundMs, book.nowMs);
}

export function waitsSince(book: Book, { waitsSinceMs }: ModelEntry): number {
  return waitsSinceMs ?? book.nowMs;
}

/** Somebody waits for a model that is not here, and nothing of it is. */
export function lacksModel({ waiters, state }: ModelEntry): boolean {
  return waiters > 0 && (state.status === 'unloaded' || state.status === 'failed');
}

/** Somebody waits for a model that is neither here nor on its way. */
export function needsRoom(book: Book): boolean {
  return [...book.entries.values()].some((entry) => isAway(book, entry));
}

/** As `needsRoom`, and has waited so long that busy models have to make way. */
export function somebodyIsDue(book: Book): boolean {
  return [...book.entries.values()].some(
    (entry) => isAway(book, entry) && urgencyIn(book, entry).kind === 'due',
  );
}

function isAway(book: Book, entry: ModelEntry): boolean {
  const isStopping = entry.waiters > 0 && entry.state.status === 'stopping';
  return (lacksModel(entry) || isStopping) && !isHeldBack(book, entry);
}

/** Only wanted ahead of need, while memory is short. */
export function isHeldBack(book: Book, entry: ModelEntry): boolean {
  return book.pressure.level !== 'normal' && entry.isOnlyAhead;
}
