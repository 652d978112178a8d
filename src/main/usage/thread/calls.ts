import type Database from 'better-sqlite3';
import type { AlertRow } from '../budgets.ts';
import { type CorrectionRow, createSaveCorrection } from './corrections.ts';
import { createReadCosts } from './read-costs.ts';
import { createReadFacts } from './read-facts.ts';
import { createReadLatency } from './read-latency.ts';
import { createReadRequest, createReadRequests } from './read-requests.ts';
import { createReadSpent } from './read-spent.ts';
import { SLICE_ROWS } from './slices.ts';
import { createSweep } from './sweep.ts';
import { createWriteRows } from './write-rows.ts';

/**
 * What the app can ask of its database, in the thread that has it. Writes are done when they return. What may take long
 * is a promise and lets others have their turn every few milliseconds.
 * @param sliceRows requests that are looked at in one go
 */
export function createCalls(database: Database.Database, sliceRows: number = SLICE_ROWS) {
  const saveCorrection = createSaveCorrection(database);
  const saveAlert = database.prepare<[AlertRow]>(
    `INSERT OR IGNORE INTO budget_alerts (budget, period_start_ms, share, at_ms)
     VALUES (@budget, @periodStartMs, @share, @atMs)`,
  );
  return {
    write: createWriteRows(database),
    requests: createReadRequests(database, sliceRows),
    request: createReadRequest(database),
    costs: createReadCosts(database, sliceRows),
    latency: createReadLatency(database, sliceRows),
    facts: createReadFacts(database, sliceRows),
    spent: createReadSpent(database, sliceRows),
    sweep: createSweep(database),
    saveAlert: (alert: AlertRow): void => void saveAlert.run(alert),
    saveCorrection: ({ model, correction }: { model: string; correction: CorrectionRow }): void =>
      saveCorrection(model, correction),
  } as const;
}

export type StoreCalls = ReturnType<typeof createCalls>;
export type StoreCallName = keyof StoreCalls;
export type StoreInput<Name extends StoreCallName> = Parameters<StoreCalls[Name]>[0];
export type StoreOutput<Name extends StoreCallName> = Awaited<ReturnType<StoreCalls[Name]>>;
