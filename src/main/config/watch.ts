import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../../shared/clock.ts';

/** Editors write in several steps; this long after the last one a file counts as saved. */
export const SETTLE_MS = 150;

export interface FolderWatchOptions {
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  /** Called once things have settled; what changed is for the caller to look up. */
  readonly onChange: () => void;
}

/** Folder → the names of files in it that matter, or `null` for any. */
export type WatchedFolders = ReadonlyMap<string, ReadonlySet<string> | null>;

/** The folders to watch so that a change of any of these files is seen. */
export function foldersOf(paths: readonly string[]): WatchedFolders {
  const byFolder = Map.groupBy(paths, (path) => dirname(path));
  return new Map([...byFolder].map(([dir, inside]) => [dir, new Set(inside.map((path) => basename(path)))]));
}

/**
 * Watches folders rather than files: an editor that saves by renaming puts a new file in the old one's place, which a
 * watch on the file itself would not see.
 */
export class FolderWatch implements Disposable {
  readonly #options: FolderWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #folders: WatchedFolders = new Map();
  #settling: Disposable | null = null;

  constructor(options: FolderWatchOptions) {
    this.#options = options;
  }

  /** Watches exactly these folders from now on. */
  follow(folders: WatchedFolders): void {
    this.#folders = folders;
    for (const [dir, watcher] of this.#watchers) {
      if (folders.has(dir)) continue;
      watcher.close();
      this.#watchers.delete(dir);
    }
    for (const dir of folders.keys()) {
      if (!this.#watchers.has(dir)) this.#add(dir);
    }
  }

  [Symbol.dispose](): void {
    this.follow(new Map());
    this.#settling?.[Symbol.dispose]();
  }

  #add(dir: string): void {
    try {
      const watcher = watch(dir, (_, name) => {
        const only = this.#folders.get(dir) ?? null;
        // Some systems do not say which file it was.
        if (only === null || name === null || only.has(name)) this.#settle();
      });
      // The folder was removed, or moved away.
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(dir);
        this.#settle();
      });
      this.#watchers.set(dir, watcher);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.warn(`${dir} cannot be watched (${reason}); changes there are seen after a restart`);
    }
  }

  #settle(): void {
    this.#settling?.[Symbol.dispose]();
    this.#settling = this.#options.clock.after(SETTLE_MS, this.#options.onChange);
  }
}
