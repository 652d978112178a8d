import { join } from 'node:path';
import pino from 'pino';

/** Where the app writes what an operator should see. Never given keys, or texts of requests and answers. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One JSON line an entry, in `logs/roundhouse.log` of the data folder. */
export function openLog(dataDir: string): Log {
  const file = join(dataDir, 'logs', 'roundhouse.log');
  // A full disk must not end the app, and cannot be logged.
  return pino(
    { base: null },
    pino.destination({ dest: file, mkdir: true, sync: false }).on('error', () => {}),
  );
}
