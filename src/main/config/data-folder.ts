import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { unusablePath } from '../unusable-path.ts';
import type { Environment } from '../yaml/yaml-source.ts';

/** Where Roundhouse keeps its files when `--data-dir` does not say otherwise. */
export function defaultDataFolder(platform: NodeJS.Platform, env: Environment, home: string): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Roundhouse');
  const base = env.XDG_DATA_HOME;
  // The XDG rules: a relative path there is to be ignored.
  return join(base?.startsWith('/') ? base : join(home, '.local', 'share'), 'roundhouse');
}

/**
 * Makes the data folder if it is not there, for its owner alone: it will hold the admin token.
 * @throws RoundhouseError `config_invalid` when it cannot be made or written in
 */
export async function ensureDataFolder(dir: string): Promise<void> {
  try {
    await mkdir(dirname(dir), { recursive: true });
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await access(dir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusablePath(dir, error);
  }
}

/**
 * The models.yaml of the data folder, copied from the shipped one at the first start. One that is there is never touched.
 * @returns its path
 * @throws RoundhouseError `config_invalid` when it can be neither read nor made
 */
export async function ensureModelsYaml(dataDir: string, shippedFile: string): Promise<string> {
  const file = join(dataDir, 'models.yaml');
  try {
    const there = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (there === null) await writeFileAtomic(file, await readFile(shippedFile), { mode: 0o600 });
  } catch (error) {
    throw unusablePath(file, error);
  }
  return file;
}
