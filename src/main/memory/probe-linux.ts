import { readFile } from 'node:fs/promises';
import { type Footprint, sumOrNull } from './footprint.ts';

const KIB = 1024;
const MAPPING = /^[0-9a-f]+-[0-9a-f]+ (\S{4}) \S+ \S+ (\d+) *(.*)$/;

/** One read of `/proc/PID/smaps`: all figures are of the same moment. `null` when the process is gone. */
export async function linuxFootprint(pid: number): Promise<Footprint | null> {
  try {
    return parseSmaps(await readFile(`/proc/${pid}/smaps`, 'latin1'));
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** The kernel's own estimate of what could be had without swapping; `null` where it makes none (before 3.14). */
export async function linuxAvailableBytes(): Promise<number | null> {
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'latin1'))?.[1];
  return kib === undefined ? null : Number(kib) * KIB;
}

/**
 * What would be available besides if these processes ended: their anonymous memory. Pages of the files they map count as
 * available already. Cheaper than a footprint by far, for it is read every few seconds.
 * @returns `null` when one of them is gone
 */
export async function linuxReturnedBytes(pids: readonly number[]): Promise<number | null> {
  try {
    const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/status`, 'latin1')));
    return sumOrNull(texts.map(parseAnonymous));
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/**
 * @param status text of `/proc/PID/status`
 * @returns `null` for a process that has ended and was not yet looked after: it has no memory any more
 */
export function parseAnonymous(status: string): number | null {
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  const anonymous = field('RssAnon');
  return anonymous === undefined ? null : (Number(anonymous) + Number(field('RssShmem') ?? 0)) * KIB;
}

/**
 * Adds up `Private_Dirty` of everything and `Rss` of the model files. Those are known by how llama.cpp maps them
 * (read-only and shared, which nothing else in an engine is), so that a model file may have any name. Pages of a file
 * that was just downloaded are dirty until the system has written them: they are the file's, not the process's.
 * @param smaps text of `/proc/PID/smaps`
 */
export function parseSmaps(smaps: string): Footprint {
  let privateBytes = 0;
  let mappedBytes = 0;
  let isModelFile = false;
  for (const line of smaps.split('\n')) {
    if (line.startsWith('Private_Dirty:')) privateBytes += isModelFile ? 0 : kibibytes(line);
    else if (line.startsWith('Rss:')) mappedBytes += isModelFile ? kibibytes(line) : 0;
    else if (/^[0-9a-f]/.test(line)) isModelFile = mapsModelFile(line);
  }
  return { privateBytes, mappedBytes, totalBytes: privateBytes + mappedBytes };
}

function mapsModelFile(line: string): boolean {
  const [, permissions, inode, path = ''] = MAPPING.exec(line) ?? [];
  return permissions === 'r--s' && inode !== '0' && path.startsWith('/') && !path.startsWith('/dev/');
}

function kibibytes(line: string): number {
  return Number.parseInt(line.slice(line.indexOf(':') + 1), 10) * KIB;
}

/** ESRCH: it ended between opening and reading. EACCES: another user's. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES';
}
