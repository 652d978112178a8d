import type Database from 'better-sqlite3';
import { turn } from './slices.ts';

const BATCH_ROWS = 500;
const BATCH_PAGES = 256;
/** Empty pages are used again by the rows that come; only what is more than this share goes back to the disk. */
const FREE_SHARE = 0.25;
const FEW_PAGES = 1024;

export interface SweepOrder {
  /** Requests that came before that are deleted. */
  readonly beforeMs: number;
  /** False deletes every kept text. */
  readonly keepTexts: boolean;
}

/** @returns how many requests were deleted */
export function createSweep(database: Database.Database): (order: SweepOrder) => Promise<number> {
  const requests = database.prepare<[number, number]>(
    `DELETE FROM usage_requests WHERE id IN
       (SELECT id FROM usage_requests WHERE at_ms < ? ORDER BY at_ms LIMIT ?)`,
  );
  const texts = database.prepare<[number]>(
    'DELETE FROM usage_texts WHERE request IN (SELECT request FROM usage_texts LIMIT ?)',
  );
  const alerts = database.prepare<[number]>('DELETE FROM budget_alerts WHERE period_start_ms < ?');

  async function inBatches(batch: () => number): Promise<number> {
    let deleted = 0;
    for (let changes = batch(); changes > 0; changes = batch()) {
      deleted += changes;
      await turn();
    }
    return deleted;
  }

  return async ({ beforeMs, keepTexts }) => {
    const deleted = await inBatches(() => requests.run(beforeMs, BATCH_ROWS).changes);
    if (!keepTexts) await inBatches(() => texts.run(BATCH_ROWS).changes);
    alerts.run(beforeMs);
    await shrink(database);
    return deleted;
  };
}

async function shrink(database: Database.Database): Promise<void> {
  const pages = (pragma: string) => Number(database.pragma(pragma, { simple: true }));
  for (;;) {
    const free = pages('freelist_count');
    if (free < FEW_PAGES || free < FREE_SHARE * pages('page_count')) return;
    database.pragma(`incremental_vacuum(${BATCH_PAGES})`);
    if (pages('freelist_count') === free) return;
    await turn();
  }
}
