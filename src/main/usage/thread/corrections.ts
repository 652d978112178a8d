import type Database from 'better-sqlite3';

/** What measuring taught about one model. The shape is the memory room's; this room only keeps it. */
export interface CorrectionRow {
  readonly offsetBytes: number;
  readonly samples: number;
}

/** By the model's identity. */
export function readCorrections(database: Database.Database): ReadonlyMap<string, CorrectionRow> {
  const all = database.prepare<[], { model: string; offset_bytes: number; samples: number }>(
    'SELECT model, offset_bytes, samples FROM memory_corrections',
  );
  return new Map(
    all.all().map((row) => [row.model, { offsetBytes: row.offset_bytes, samples: row.samples }]),
  );
}

export function createSaveCorrection(
  database: Database.Database,
): (model: string, correction: CorrectionRow) => void {
  const save = database.prepare<[string, number, number]>(
    'INSERT OR REPLACE INTO memory_corrections (model, offset_bytes, samples) VALUES (?, ?, ?)',
  );
  return (model, { offsetBytes, samples }) => void save.run(model, offsetBytes, samples);
}
