import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
// Collecting would also throw away compiled code, and the next load would have to warm up again.
setFlagsFromString('--no-flush-bytecode');
// A context made after the flag was set has the function; the present one was made before.
const gc: () => void = runInNewContext('gc');

/**
 * Gives the JavaScript side of an unloaded model back: its vocabulary alone is megabytes of strings, and without this the
 * process would look as if the model's memory had not come back.
 */
export function collectGarbage(): void {
  gc();
}
