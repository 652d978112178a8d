import Database from 'better-sqlite3';
import { RoundhouseError } from '../../shared/errors.ts';

/**
 * Makes this process the only one that uses a data folder, for as long as the handle is not disposed. The lock is the
 * operating system's, on the folder's database: it ends with the process, however that ends.
 * @throws RoundhouseError `conflict` when another process holds it
 */
export function lockDataFolder(databaseFile: string): Disposable {
  const database = new Database(databaseFile, { timeout: 0 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    // The mode takes hold with the first write transaction.
    database.exec('BEGIN EXCLUSIVE; COMMIT');
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new RoundhouseError(
      'conflict',
      'Roundhouse is already running with this data folder; use it, stop it, or start with another --data-dir',
      { cause: error },
    );
  }
  return { [Symbol.dispose]: () => database.close() };
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === 'SQLITE_BUSY';
}
