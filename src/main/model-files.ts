import { access, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RoundhouseError } from '../shared/errors.ts';
import { checkGgufFile } from './config/gguf-file.ts';
import type { LocalModelSettings } from './config/settings.ts';
import { FolderWatch, type FolderWatchOptions, foldersOf } from './config/watch.ts';
import { filesOf } from './engine/gguf-files.ts';

export interface FileFacts {
  readonly fileBytes: number | null;
  /** Why it cannot be loaded, in words for the user. */
  readonly problem: string | null;
}

const UNKNOWN: FileFacts = { fileBytes: null, problem: null };

/** What the models' files look like from outside: there, and GGUF, or why not. Tells when one of them changes. */
export class ModelFiles implements Disposable {
  readonly #facts = new Map<string, FileFacts>();
  readonly #watch: FolderWatch;
  #disposed = false;

  constructor(options: FolderWatchOptions) {
    this.#watch = new FolderWatch(options);
  }

  of(path: string): FileFacts {
    return this.#facts.get(path) ?? UNKNOWN;
  }

  /** Looks at the files of these models and follows them from now on; forgets all others. */
  async refresh(models: readonly LocalModelSettings[]): Promise<void> {
    const watched = await watchable(models);
    if (this.#disposed) return;
    // First: what changes while they are looked at is seen as a change.
    this.#watch.follow(foldersOf(watched));
    const paths = new Set(models.map((model) => model.source.path));
    for (const path of this.#facts.keys()) if (!paths.has(path)) this.#facts.delete(path);
    await Promise.all([...paths].map(async (path) => this.#facts.set(path, await lookAt(path))));
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#watch[Symbol.dispose]();
  }
}

/** The files that may change, by their own names and by those that links lead to, as far as their folders are there. */
async function watchable(models: readonly LocalModelSettings[]): Promise<string[]> {
  const files = models.flatMap(({ source }) => (source.kind === 'file' ? filesOf(source.path) : []));
  const targets = await Promise.all(
    files.map(async (file) => [file, await realpath(file).catch(() => file)] as const),
  );
  const paths = targets.flat();
  const folders = [...new Set(paths.map((path) => dirname(path)))];
  const missing = new Set<string>();
  await Promise.all(folders.map((folder) => access(folder).catch(() => missing.add(folder))));
  return paths.filter((path) => !missing.has(dirname(path)));
}

async function lookAt(path: string): Promise<FileFacts> {
  try {
    const { sizeBytes } = await checkGgufFile(path);
    return { fileBytes: sizeBytes, problem: null };
  } catch (error) {
    return { fileBytes: null, problem: RoundhouseError.from(error).message };
  }
}
