import { chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

/*
 * What the folder of saved prefixes holds: `index.json`, and a folder for each model and its settings with the states. A file
 * that the index does not name is not there: one is named only when it was written to its end.
 */

const INDEX_FILE = 'index.json';

const entry = z.strictObject({
  /** Unique in the whole folder, so that an engine can speak of it. */
  file: z.string().regex(/^\d{1,15}\.state$/),
  key: z.string().regex(/^[0-9a-f]{32}$/),
  modelId: z.string(),
  tokens: z.int().positive(),
  bytes: z.int().positive(),
  crc32: z.int().nonnegative(),
  /** What reading its tokens would take, as measured when it was saved. */
  prefillMs: z.number().positive(),
  /** Wall time. */
  usedAtMs: z.number(),
});
export type PrefixEntry = Readonly<z.infer<typeof entry>>;

const index = z.strictObject({ version: z.literal(1), entries: z.array(entry) });

/** Names a file of the folder. */
export type PrefixFile = Pick<PrefixEntry, 'key' | 'file'>;

/** What is done to the folder, one thing after the other, so that what was asked last is what stays. */
export class PrefixFolder {
  readonly #dir: string;
  readonly #onError: (error: unknown) => void;
  #work: Promise<void> = Promise.resolve();

  /** @param onError told of what could not be done; the rest goes on */
  constructor(dir: string, onError: (error: unknown) => void) {
    this.#dir = dir;
    this.#onError = onError;
  }

  /** Resolves when all that was asked so far is done, or has failed. */
  get settled(): Promise<void> {
    return this.#work;
  }

  /** Resolves when there is a folder for a key. @throws the system's error */
  async make(key: string): Promise<void> {
    await mkdir(join(this.#dir, key), { recursive: true, mode: 0o700 });
  }

  delete(file: PrefixFile): void {
    const path = pathOf(this.#dir, file);
    // Its folder stays: an engine may be about to write into it. An empty one goes at the next start.
    this.#enqueue(() => rm(path, { recursive: true, force: true }));
  }

  /** Whole or not at all, whenever the app ends. */
  writeIndex(entries: Iterable<PrefixEntry>): void {
    const text = JSON.stringify({ version: 1, entries: [...entries] });
    this.#enqueue(() => writeFileAtomic(join(this.#dir, INDEX_FILE), `${text}\n`, { mode: 0o600 }));
  }

  deleteAll(): void {
    this.#enqueue(() => rm(this.#dir, { recursive: true, force: true }));
  }

  #enqueue(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch(this.#onError);
  }
}

/**
 * Opens the folder for its owner alone, and removes what a crash left behind: files that the index does not name.
 * @param keep false when nothing was to outlive the last run: then all of it goes
 * @returns what is there, whole by its size; contents are checked when they are used
 * @throws when the folder cannot be made or read
 */
export async function openPrefixFolder(dir: string, keep: boolean): Promise<PrefixEntry[]> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const entries = keep ? await presentEntries(dir) : [];
  const named = new Map(Map.groupBy(entries, ({ key }) => key));
  for (const name of await readdir(dir)) {
    if (name === INDEX_FILE && keep) continue;
    const files = new Set(named.get(name)?.map(({ file }) => file));
    if (files.size === 0) {
      await rm(join(dir, name), { recursive: true, force: true });
      continue;
    }
    for (const file of await readdir(join(dir, name))) {
      if (!files.has(file)) await rm(join(dir, name, file), { recursive: true, force: true });
    }
  }
  return entries;
}

async function presentEntries(dir: string): Promise<PrefixEntry[]> {
  const present: PrefixEntry[] = [];
  for (const candidate of await readIndex(dir)) {
    const facts = await stat(pathOf(dir, candidate)).catch(() => null);
    if (facts?.isFile() && facts.size === candidate.bytes) present.push(candidate);
  }
  return present;
}

function pathOf(dir: string, { key, file }: PrefixFile): string {
  return join(dir, key, file);
}

async function readIndex(dir: string): Promise<readonly PrefixEntry[]> {
  try {
    return index.parse(JSON.parse(await readFile(join(dir, INDEX_FILE), 'utf8'))).entries;
  } catch {
    // It is a cache: what cannot be understood is as good as nothing.
    return [];
  }
}
