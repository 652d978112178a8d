import Database from 'better-sqlite3';
import { RoundhouseError } from '../../shared/errors.ts';

/** What measuring taught about one model. The shape is the memory room's; this room only keeps it. */
export interface CorrectionRow {
  readonly offsetBytes: number;
  readonly samples: number;
}

/** The data folder's database. */
export interface Store extends Disposable {
  /** By the model's identity. */
  corrections(): ReadonlyMap<string, CorrectionRow>;
  saveCorrection(model: string, correction: CorrectionRow): void;
}

/** Each brings the schema one version further; never edited once released. */
const MIGRATIONS = [
  `CREATE TABLE memory_corrections (
     model TEXT PRIMARY KEY,
     offset_bytes REAL NOT NULL,
     samples INTEGER NOT NULL
   ) STRICT`,
];

/**
 * Opens the database and makes this process the only one that uses its folder, until the store is disposed. The lock is
 * the operating system's: it ends with the process, however that ends.
 * @throws RoundhouseError `conflict` when another process holds it
 */
export function openStore(databaseFile: string): Store {
  const database = new Database(databaseFile, { timeout: 0 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    // The mode takes hold with the first write transaction.
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    migrate(database);
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new RoundhouseError(
      'conflict',
      'Roundhouse is already running with this data folder; use it, stop it, or start with another --data-dir',
      { cause: error },
    );
  }
  const all = database.prepare<[], { model: string; offset_bytes: number; samples: number }>(
    'SELECT model, offset_bytes, samples FROM memory_corrections',
  );
  const save = database.prepare<[string, number, number]>(
    'INSERT OR REPLACE INTO memory_corrections (model, offset_bytes, samples) VALUES (?, ?, ?)',
  );
  return {
    corrections: () =>
      new Map(all.all().map((row) => [row.model, { offsetBytes: row.offset_bytes, samples: row.samples }])),
    saveCorrection: (model, { offsetBytes, samples }) => void save.run(model, offsetBytes, samples),
    [Symbol.dispose]: () => database.close(),
  };
}

function migrate(database: Database.Database): void {
  const done = Number(database.pragma('user_version', { simple: true }));
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < done) continue;
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${index + 1}`);
    })();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === 'SQLITE_BUSY';
}
