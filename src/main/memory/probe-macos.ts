import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Footprint, sumOrNull } from './footprint.ts';

/*
 * Written from the manual of footprint(1) and its seen output, not yet run on a Mac: whatever is not as expected falls
 * back to `ps`, whose resident size has the mapped weights in it.
 */

const run = promisify(execFile);
const TIMEOUT_MS = 2000;
const KIB = 1024;

/** `phys_footprint` and the clean pages of mapped files. `null` when the process is gone. */
export async function macFootprint(pid: number): Promise<Footprint | null> {
  try {
    const { stdout } = await run('/usr/bin/footprint', ['-f', 'bytes', '-p', String(pid)], {
      timeout: TIMEOUT_MS,
    });
    const footprint = parseFootprint(stdout);
    if (footprint) return footprint;
  } catch {
    // Not there, not allowed, too slow or the process is gone: `ps` can tell which.
  }
  try {
    const { stdout } = await run('/bin/ps', ['-o', 'rss=', '-p', String(pid)], { timeout: TIMEOUT_MS });
    const residentBytes = Number.parseInt(stdout, 10) * KIB;
    if (Number.isNaN(residentBytes)) return null;
    return { privateBytes: residentBytes, mappedBytes: 0, totalBytes: residentBytes };
  } catch {
    return null;
  }
}

/** As footprints say: where Metal has weights wired, nothing else counts them. `null` when one is gone. */
export async function macReturnedBytes(pids: readonly number[]): Promise<number | null> {
  const footprints = await Promise.all(pids.map((pid) => macFootprint(pid)));
  return sumOrNull(footprints.map((footprint) => footprint?.totalBytes ?? null));
}

/**
 * @param output of `footprint -f bytes -p PID`: a table `Dirty Clean Reclaimable Regions Category`, and
 *   `phys_footprint: N B` among the auxiliary data
 * @returns `null` when the output is not as expected
 */
export function parseFootprint(output: string): Footprint | null {
  const physical = /^\s*phys_footprint:\s*(\d+) B/m.exec(output)?.[1];
  if (physical === undefined) return null;
  const clean = /^\s*\d+ B\s+(\d+) B\s+.*\bmapped file\s*$/m.exec(output)?.[1] ?? '0';
  const [privateBytes, mappedBytes] = [Number(physical), Number(clean)];
  return { privateBytes, mappedBytes, totalBytes: privateBytes + mappedBytes };
}
