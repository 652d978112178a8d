import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
// Collecting would also throw away compiled code, and the next load would have to warm up again.
setFlagsFromString('--no-flush-bytecode');
// A context made after the flag was set has the function; the present one was made before.
const gc: (options: GcOptions) => void = runInNewContext('gc');

/** Source: V8's `--expose-gc`, `src/extensions/gc-extension.cc`. */
interface GcOptions {
  readonly type: 'major';
  readonly execution: 'sync';
  /** `last-resort` also gives the pages back; a plain collection keeps them for later. */
  readonly flavor: 'last-resort';
}

/**
 * Gives the JavaScript side of an unloaded model back. It takes twenty milliseconds of all cores, which the next model's load
 * would rather have: so it is done when what stayed would cost the process its place as a standby.
 */
export function collectGarbage(): void {
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
