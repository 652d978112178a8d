import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../shared/clock.ts';
import { type CatalogFolders, type LoadedCatalog, loadCatalog } from './catalog/load.ts';
import { FolderWatch, type WatchedFolders } from './config/watch.ts';

export interface CatalogFilesOptions extends CatalogFolders {
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  /** Takes the catalog: when it was read, and whenever the user's part of it has changed. */
  readonly onLoaded: (loaded: LoadedCatalog) => void;
}

/** Reads the catalog, and reads it again when the user's folder changes. The shipped one does not. */
export class CatalogFiles implements Disposable {
  readonly #options: CatalogFilesOptions;
  readonly #watch: FolderWatch;
  /** One look at a time: the last one to begin is the last one to be heard. */
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: CatalogFilesOptions) {
    this.#options = options;
    const { clock, warn } = options;
    this.#watch = new FolderWatch({ clock, warn, onChange: () => void this.load() });
  }

  /** Resolves when what is on the disk now is in force. */
  load(): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#closed) return;
      // Watched first: what changes while it is read is read again.
      this.#watch.follow(await foldersOf(this.#options.userDir));
      const loaded = await loadCatalog(this.#options);
      if (!this.#closed) this.#options.onLoaded(loaded);
    });
    return this.#work;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#watch[Symbol.dispose]();
  }
}

/** The folders to watch for a change in the user's catalog, as far as they are there. */
async function foldersOf(userDir: string): Promise<WatchedFolders> {
  const folders = new Map<string, ReadonlySet<string> | null>([
    [dirname(userDir), new Set([basename(userDir)])],
  ]);
  const add = async (dir: string): Promise<readonly string[]> => {
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => null);
    if (entries === null) return [];
    folders.set(dir, null);
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
  };
  await add(userDir);
  await add(join(userDir, 'pricing'));
  for (const provider of await add(join(userDir, 'models'))) await add(provider);
  return folders;
}
