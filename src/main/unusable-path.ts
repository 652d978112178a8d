import { RoundhouseError } from '../shared/errors.ts';

/**
 * Says in one sentence why Roundhouse cannot keep its files at a path, and what to do about it. A `RoundhouseError`
 * says so already and stays what it is.
 * @param error what the file system, or the database on it, threw
 */
export function unusablePath(path: string, error: unknown): RoundhouseError {
  if (error instanceof RoundhouseError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new RoundhouseError('config_invalid', `${path} cannot be used: ${reasonOf(code, error)}`, {
    cause: error,
  });
}

const ELSEWHERE = 'choose another folder with --data-dir DIR';

function reasonOf(code: string, error: unknown): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `this user may not write there (${code}); give it the right to, or ${ELSEWHERE}`;
    case 'EROFS':
    case 'SQLITE_READONLY':
    case 'SQLITE_READONLY_DIRECTORY':
      return `it can only be read, not written (${code}); make it writable, or ${ELSEWHERE}`;
    case 'EEXIST':
    case 'ENOTDIR':
      return `where a folder is needed there is a file (${code}); move that file away, or ${ELSEWHERE}`;
    case 'EISDIR':
      return `where a file is needed there is a folder (${code}); move that folder away, or ${ELSEWHERE}`;
    case 'ENOSPC':
    case 'EDQUOT':
    case 'SQLITE_FULL':
      return `its disk is full (${code}); make room there, or ${ELSEWHERE}`;
    case 'SQLITE_CANTOPEN':
      return `it cannot be opened as a database (${code}); see that this user may read and write it and its folder, or ${ELSEWHERE}`;
    default: {
      const message = error instanceof Error ? error.message : String(error);
      return `${message}; see that this user may read and write there, or ${ELSEWHERE}`;
    }
  }
}
