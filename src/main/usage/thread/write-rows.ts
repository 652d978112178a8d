import type Database from 'better-sqlite3';
import type { UsageDetailView } from '../../../shared/usage-contract.ts';
import { sqliteCode } from '../open-database.ts';
import { INSERT_REQUEST, INSERT_TRY } from './columns.ts';

/** Rows that no database could take; the others of their batch are written. */
export interface WriteOutcome {
  readonly refused: number;
}

/** Writes a batch in one transaction: when this returns, it is on the disk. Throws when the disk does not take it. */
export function createWriteRows(
  database: Database.Database,
): (rows: readonly UsageDetailView[]) => WriteOutcome {
  const insertRequest = database.prepare(INSERT_REQUEST);
  const insertTry = database.prepare(INSERT_TRY);
  const insertText = database.prepare(
    'INSERT INTO usage_texts (request, prompt, answer) VALUES (@request, @prompt, @answer)',
  );
  const writeOne = database.transaction(({ tries, text, ...request }: UsageDetailView) => {
    insertRequest.run({ ...request, streamed: Number(request.streamed) });
    for (const [index, one] of tries.entries()) {
      insertTry.run({ ...one, request: request.id, number: index + 1 });
    }
    if (text) insertText.run({ ...text, request: request.id });
  });
  return database.transaction((rows: readonly UsageDetailView[]): WriteOutcome => {
    let refused = 0;
    for (const row of rows) {
      try {
        writeOne(row);
      } catch (error) {
        if (!isTheRowsFault(error)) throw error;
        refused += 1;
      }
    }
    return { refused };
  });
}

/** Else one bad row would hold up all that come after it. */
function isTheRowsFault(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true;
  const code = sqliteCode(error);
  return code.startsWith('SQLITE_CONSTRAINT') || code === 'SQLITE_TOOBIG' || code === 'SQLITE_MISMATCH';
}
