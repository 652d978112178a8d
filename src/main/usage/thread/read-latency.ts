import type Database from 'better-sqlite3';
import type { LatencyKey, LatencyRow } from '../../../shared/usage-contract.ts';
import { LatencyGroup, type LatencySample } from '../percentiles.ts';
import { createSlices, turn } from './slices.ts';

export interface LatencyQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly by: LatencyKey;
}

const MOST_KEYS = 200;

interface SampleRecord extends LatencySample {
  readonly key: string | null;
  readonly cold: number;
}

/** Of requests that were answered; those with the most requests first. */
export function createReadLatency(
  database: Database.Database,
  sliceRows: number,
): (query: LatencyQuery) => Promise<readonly LatencyRow[]> {
  const slices = createSlices(database, sliceRows);
  const statementBy = (key: string) =>
    database.prepare<[number, number], SampleRecord>(
      `SELECT ${key} AS key, ifnull(load_ms, 0) > 0 AS cold, first_token_ms AS firstTokenMs,
         total_ms AS totalMs, completion_tokens AS completionTokens
       FROM usage_requests WHERE at_ms >= ? AND at_ms < ? AND status = 'ok'`,
    );
  const statements = {
    model: statementBy('model'),
    provider: statementBy('provider'),
    'content-type': statementBy('content_type'),
  } satisfies Record<LatencyKey, unknown>;

  return async ({ fromMs, toMs, by }) => {
    const groups = new Map<string | null, { readonly warm: LatencyGroup; readonly cold: LatencyGroup }>();
    for (const { startMs, endMs } of slices({ startMs: fromMs, endMs: toMs })) {
      for (const { key, cold, ...sample } of statements[by].iterate(startMs, endMs)) {
        const group = groups.get(key) ?? { warm: new LatencyGroup(), cold: new LatencyGroup() };
        groups.set(key, group);
        (cold ? group.cold : group.warm).add(sample);
      }
      await turn();
    }
    const rows: LatencyRow[] = [];
    for (const [key, { warm, cold }] of groups) {
      rows.push({ key, warm: warm.stats(), cold: cold.stats() });
      // Sorting many values takes its time, too.
      await turn();
    }
    return rows.toSorted((a, b) => requestsOf(b) - requestsOf(a)).slice(0, MOST_KEYS);
  };
}

function requestsOf({ warm, cold }: LatencyRow): number {
  return warm.requests + cold.requests;
}
