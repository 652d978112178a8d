import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkGgufFile } from './gguf-file.ts';
import { isFirstShard } from './model-ids.ts';

export interface FolderScan {
  /** GGUF files, of a split model the first, in the order of their paths. */
  readonly files: readonly string[];
  /** The folders that were looked into: those to watch. */
  readonly dirs: readonly string[];
  /** What could not be looked into, and why, as sentences. */
  readonly warnings: readonly string[];
}

/** Looks for GGUF files in each folder and its direct subfolders. Hidden ones are passed over. */
export async function scanModelsFolders(folders: readonly string[]): Promise<FolderScan> {
  const files = new Set<string>();
  const dirs = new Set<string>();
  const warnings: string[] = [];
  for (const folder of folders) {
    const subfolders = await scan(folder);
    for (const subfolder of subfolders) await scan(subfolder);
  }
  return { files: [...files].sort(), dirs: [...dirs], warnings };

  /** Gives the subfolders. */
  async function scan(dir: string): Promise<readonly string[]> {
    const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      warnings.push(
        `the models folder ${dir} cannot be read (${error.code}); it is tried again when models.yaml is saved`,
      );
      return null;
    });
    if (entries === null) return [];
    dirs.add(dir);
    const subfolders: string[] = [];
    for (const entry of entries.filter(({ name }) => !name.startsWith('.'))) {
      const path = join(dir, entry.name);
      if (await isFolder(path, entry)) subfolders.push(path);
      else if (await isModel(path, entry.name)) files.add(path);
    }
    return subfolders;
  }
}

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(path).then(
    (target) => target.isDirectory(),
    () => false, // A link to nothing is no folder.
  );
}

async function isModel(path: string, name: string): Promise<boolean> {
  if (!/\.gguf$/i.test(name) || !isFirstShard(name)) return false;
  // llama.cpp's name for the image half of a model, which cannot be asked anything.
  if (/^mmproj/i.test(name)) return false;
  return checkGgufFile(path).then(
    () => true,
    () => false, // Half a download, or something else under that name: not a model now.
  );
}
