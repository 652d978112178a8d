import type { UsageRequestView } from '../../shared/usage-contract.ts';

/** Both together, each request once, the newest first. `rows` are in that order already. */
export function mergeRequests(
  rows: readonly UsageRequestView[],
  more: readonly UsageRequestView[],
): readonly UsageRequestView[] {
  if (more.length === 0) return rows;
  const sorted = more.toSorted((a, b) => b.id - a.id).filter(isFirst);
  const newest = rows[0];
  const oldest = rows.at(-1);
  if (newest === undefined || oldest === undefined) return sorted;
  // What comes is nearly always all newer, or all older.
  if (sorted.every((row) => row.id > newest.id)) return [...sorted, ...rows];
  if (sorted.every((row) => row.id < oldest.id)) return [...rows, ...sorted];
  const known = new Set(rows.map((row) => row.id));
  return [...rows, ...sorted.filter((row) => !known.has(row.id))].toSorted((a, b) => b.id - a.id);
}

function isFirst(row: UsageRequestView, index: number, rows: readonly UsageRequestView[]): boolean {
  return row.id !== rows[index - 1]?.id;
}
