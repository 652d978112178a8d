import { existsSync, renameSync } from 'node:fs';
import Database from 'better-sqlite3';
import { RoundhouseError } from '../../shared/errors.ts';
import { unusablePath } from '../unusable-path.ts';

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
 * the operating system's: it ends with the process, however that ends. A file that is no database, or a damaged one,
 * is renamed and a new one begun: what was learned is learned again.
 * @param onMovedAside called with where such a file is now
 * @throws RoundhouseError `conflict` when another process holds it; `config_invalid` when it cannot be opened
 */
export function openStore(
  databaseFile: string,
  onMovedAside: (path: string) => void = () => undefined,
): Store {
  const database = openDatabase(databaseFile) ?? openAfresh(databaseFile, onMovedAside);
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

/** @returns `null` when the file is not a database that can be read */
function openDatabase(file: string): Database.Database | null {
  let database: Database.Database | null = null;
  try {
    database = new Database(file, { timeout: 0 });
    database.pragma('locking_mode = EXCLUSIVE');
    // The mode takes hold with the first write transaction.
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    migrate(database);
    return database;
  } catch (error) {
    database?.close();
    const code = codeOf(error);
    if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return null;
    if (code !== 'SQLITE_BUSY') throw unusablePath(file, error);
    throw new RoundhouseError(
      'conflict',
      'Roundhouse is already running with this data folder; use it, stop it, or start with another --data-dir',
      { cause: error },
    );
  }
}

function openAfresh(file: string, onMovedAside: (path: string) => void): Database.Database {
  const aside = freeName(file);
  try {
    // A journal left behind would be played back into the new database. Last the file itself: a crash before leaves it
    // to be found damaged again.
    for (const suffix of ['-journal', '-wal', '-shm', ''])
      if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  } catch (error) {
    throw unusablePath(file, error);
  }
  const database = openDatabase(file);
  if (!database) throw new RoundhouseError('internal_error', `${file} is damaged as soon as it is made`);
  onMovedAside(aside);
  return database;
}

function freeName(file: string): string {
  for (let number = 1; ; number++) {
    const name = `${file}.damaged-${number}`;
    if (!existsSync(name)) return name;
  }
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

function codeOf(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : '';
}
