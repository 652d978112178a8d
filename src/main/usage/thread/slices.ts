import { setImmediate } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import type { Period } from '../periods.ts';

/** So many rows are looked at before others have their turn: 10 to 20 ms. */
export const SLICE_ROWS = 5000;

/** Cuts a stretch of time into pieces of about as many requests as can be looked at in one go. */
export function createSlices(
  database: Database.Database,
  sliceRows: number,
): (period: Period) => Iterable<Period> {
  const nth = database
    .prepare<[number, number, number], number>(
      'SELECT at_ms FROM usage_requests WHERE at_ms >= ? AND at_ms < ? ORDER BY at_ms LIMIT 1 OFFSET ?',
    )
    .pluck();
  return function* slices({ startMs, endMs }) {
    for (let fromMs = startMs; fromMs < endMs; ) {
      const atMs = nth.get(fromMs, endMs, sliceRows);
      // More than that may have come in the same millisecond.
      const toMs = atMs === undefined ? endMs : Math.max(atMs, fromMs + 1);
      yield { startMs: fromMs, endMs: toMs };
      fromMs = toMs;
    }
  };
}

/** Lets what has come in meanwhile go first: rows are to be on the disk within 250 ms, however long a question takes. */
export async function turn(): Promise<void> {
  await setImmediate();
}
