import { mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pino from 'pino';
import { unusablePath } from './unusable-path.ts';

/** Where the app writes what an operator should see. Never given keys, or texts of requests and answers. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * One JSON line an entry, in `logs/roundhouse.log` of the data folder.
 * @throws RoundhouseError `config_invalid` when that cannot be opened
 */
export function openLog(dataDir: string): Log {
  // A full disk must not end the app, and cannot be logged.
  return pino(
    { base: null },
    pino.destination({ dest: openFile(dataDir), sync: false }).on('error', () => {}),
  );
}

/** Opened here: pino would do so later, and end the program with a stack when that fails. */
function openFile(dataDir: string): number {
  const file = join(dataDir, 'logs', 'roundhouse.log');
  try {
    mkdirSync(dirname(file), { recursive: true });
    return openSync(file, 'a');
  } catch (error) {
    throw unusablePath(file, error);
  }
}
