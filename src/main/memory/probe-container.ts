import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/*
 * Control groups, second version: what a container may use, as the kernel counts it.
 */

const ROOT = '/sys/fs/cgroup';

/** Folder of the control group of this process, as seen from inside it; `null` where there is none. */
export async function containerFolder(root = ROOT, self = '/proc/self/cgroup'): Promise<string | null> {
  const path = /^0::(\/.*)$/m.exec(await textOf(self))?.[1];
  return path === undefined ? null : join(root, path);
}

/**
 * Bytes that are left of the limit, files that can be read again counted as free. Without that a container would look
 * full after the first large model had been read, for good: `memory.current` has them.
 * @returns `null` when the group cannot be read
 */
export async function containerAvailableBytes(folder: string, limitBytes: number): Promise<number | null> {
  const currentBytes = Number.parseInt(await textOf(join(folder, 'memory.current')), 10);
  const stat = await textOf(join(folder, 'memory.stat'));
  const field = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 'none');
  const bytes = limitBytes - currentBytes + field('active_file') + field('inactive_file');
  return Number.isFinite(bytes) ? Math.max(0, bytes) : null;
}

/** Empty when there is no such file. */
async function textOf(file: string): Promise<string> {
  return readFile(file, 'latin1').catch(() => '');
}
