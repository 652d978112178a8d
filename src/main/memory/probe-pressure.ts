import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { PressureLevel } from '../../shared/contract.ts';
import { levelOfStalls, type Stalls } from './pressure.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 2000;

/**
 * From the kernel's pressure stall information.
 * @param file of this container where there is one, else of the machine
 * @returns `null` where the kernel keeps none: it is too old, or was started without
 */
export async function linuxPressure(file = '/proc/pressure/memory'): Promise<PressureLevel | null> {
  // EOPNOTSUPP when it was switched off at boot.
  const text = await readFile(file, 'latin1').catch(() => null);
  const stalls = text === null ? null : parseStalls(text);
  return stalls && levelOfStalls(stalls);
}

/**
 * @param text of `/proc/pressure/memory`: `some avg10=0.00 avg60=… total=…` and `full …`
 * @returns `null` when the text is not as expected
 */
export function parseStalls(text: string): Stalls | null {
  const percent = (kind: string) => {
    const found = new RegExp(`^${kind} avg10=(\\d+(?:\\.\\d+)?) `, 'm').exec(text)?.[1];
    return found === undefined ? null : Number(found);
  };
  const [somePercent, fullPercent] = [percent('some'), percent('full')];
  return somePercent === null || fullPercent === null ? null : { somePercent, fullPercent };
}

/** What macOS says itself; `null` when it does not. Written from the kernel's source, not yet run on a Mac. */
export async function macPressure(): Promise<PressureLevel | null> {
  try {
    const args = ['-n', 'kern.memorystatus_vm_pressure_level'];
    const { stdout } = await run('/usr/sbin/sysctl', args, { timeout: TIMEOUT_MS });
    return parseMacLevel(stdout);
  } catch {
    return null;
  }
}

/** @param output `1`, `2` or `4`; `null` for anything else */
export function parseMacLevel(output: string): PressureLevel | null {
  switch (output.trim()) {
    case '1':
      return 'normal';
    case '2':
      return 'warn';
    case '4':
      return 'critical';
    default:
      return null;
  }
}
