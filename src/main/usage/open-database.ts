import { existsSync, renameSync } from 'node:fs';
import Database from 'better-sqlite3';
import { RoundhouseError } from '../../shared/errors.ts';
import { unusablePath } from '../unusable-path.ts';
import { MIGRATIONS } from './migrations.ts';

/** A longer log of writes is cut back to this once it is in the database. */
const LOG_BYTES = 16 * 1024 ** 2;

/**
 * Opens the database and makes this process the only one that uses its folder, until it is closed. The lock is the
 * operating system's: it ends with the process, however that ends. A file that is no database, or a damaged one, is
 * renamed and a new one begun.
 * @param onMovedAside called with where such a file is now
 * @throws RoundhouseError `conflict` when another process holds it; `config_invalid` when it cannot be opened
 */
export function openDatabase(file: string, onMovedAside: (path: string) => void): Database.Database {
  return tryToOpen(file) ?? openAfresh(file, onMovedAside);
}

/** @returns `null` when the file is not a database that can be read */
function tryToOpen(file: string): Database.Database | null {
  let database: Database.Database | null = null;
  try {
    database = new Database(file, { timeout: 0 });
    // Before anything is read: then the log of writes needs no memory that is shared with other processes.
    database.pragma('locking_mode = EXCLUSIVE');
    makeShrinkable(database);
    database.pragma('journal_mode = WAL');
    // A commit is on the disk when it returns, so a power cut takes no more than a kill does.
    database.pragma('synchronous = FULL');
    database.pragma(`journal_size_limit = ${LOG_BYTES}`);
    // The mode takes hold with the first write transaction.
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    migrate(database);
    return database;
  } catch (error) {
    database?.close();
    const code = sqliteCode(error);
    if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return null;
    if (!code.startsWith('SQLITE_BUSY')) throw unusablePath(file, error);
    throw new RoundhouseError(
      'conflict',
      'Roundhouse is already running with this data folder; use it, stop it, or start with another --data-dir',
      { cause: error },
    );
  }
}

/**
 * So that pages can be given back to the disk a few at a time. Only a new database takes the setting as it is; one of
 * before this version, which is small, is written anew.
 */
function makeShrinkable(database: Database.Database): void {
  const INCREMENTAL = 2;
  if (database.pragma('auto_vacuum', { simple: true }) === INCREMENTAL) return;
  database.pragma('auto_vacuum = INCREMENTAL');
  if (database.pragma('page_count', { simple: true }) !== 0) database.exec('VACUUM');
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
  const database = tryToOpen(file);
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

/** Brings the schema to the newest version. */
export function migrate(database: Database.Database): void {
  const done = Number(database.pragma('user_version', { simple: true }));
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < done) continue;
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${index + 1}`);
    })();
  }
}

/** SQLite's name for what went wrong; empty for other errors. */
export function sqliteCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : '';
}
