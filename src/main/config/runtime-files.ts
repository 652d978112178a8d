import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';

/** How the command line finds the running app. */
export interface RuntimeInfo {
  /** Base of the API without `/v1`. */
  readonly url: string;
  readonly pid: number;
  readonly version: string;
}

/** Writes `runtime.json` and `admin-token`, both for the owner alone; the token first, so that it is there for who sees the other. */
export async function writeRuntimeFiles(
  dataDir: string,
  info: RuntimeInfo,
  adminToken: string,
): Promise<void> {
  await writeFileAtomic(join(dataDir, 'admin-token'), `${adminToken}\n`, { mode: 0o600 });
  await writeFileAtomic(join(dataDir, 'runtime.json'), `${JSON.stringify(info)}\n`, { mode: 0o600 });
}

export async function removeRuntimeFiles(dataDir: string): Promise<void> {
  for (const name of ['runtime.json', 'admin-token']) await rm(join(dataDir, name), { force: true });
}
