import { type FSWatcher, watch } from 'node:fs';
import type { Clock } from '../../shared/clock.ts';

/** Editors write in several steps; this long after the last one a file counts as saved. */
export const SETTLE_MS = 150;

export interface FolderWatchOptions {
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  /** Called once things have settled; what changed is for the caller to look up. */
  readonly onChange: () => void;
}

/**
 * Watches folders rather than files: an editor that saves by renaming puts a new file in the old one's place, which a
 * watch on the file itself would not see.
 */
export class FolderWatch implements Disposable {
  readonly #options: FolderWatchOptions;
  readonly #watchers = new Map<string, { readonly only: string | null; readonly watcher: FSWatcher }>();
  #settling: Disposable | null = null;

  constructor(options: FolderWatchOptions) {
    this.#options = options;
  }

  /** Watches exactly these folders from now on: folder → the one file name that matters, or `null` for any. */
  follow(folders: ReadonlyMap<string, string | null>): void {
    for (const [dir, { only, watcher }] of this.#watchers) {
      if (folders.has(dir) && folders.get(dir) === only) continue;
      watcher.close();
      this.#watchers.delete(dir);
    }
    for (const [dir, only] of folders) {
      if (!this.#watchers.has(dir)) this.#add(dir, only);
    }
  }

  [Symbol.dispose](): void {
    this.follow(new Map());
    this.#settling?.[Symbol.dispose]();
  }

  #add(dir: string, only: string | null): void {
    try {
      const watcher = watch(dir, (_, name) => {
        // Some systems do not say which file it was.
        if (only === null || name === null || name === only) this.#settle();
      });
      // The folder was removed, or moved away.
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(dir);
        this.#settle();
      });
      this.#watchers.set(dir, { only, watcher });
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
