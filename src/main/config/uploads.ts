import { existsSync, renameSync } from 'node:fs';
import { mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { RoundhouseError } from '../../shared/errors.ts';
import { formatBytes } from '../../shared/units.ts';
import { unusablePath } from '../unusable-path.ts';
import { checkGgufHead, GGUF_HEAD_BYTES } from './gguf-file.ts';
import { splitModelFileName } from './model-ids.ts';

/** Stays free on the disk, whatever is uploaded. */
const SPARE_BYTES = 1024 ** 3;
/** Of 255 that file systems allow; the rest is for the number of a second file of that name. */
const MAX_NAME_BYTES = 200;
const PARTIAL = /^\.upload-\d+\.part$/;

/** A file as it comes in. */
export interface UploadedFile {
  /** What the sender calls it; never used as a path. */
  readonly name: string;
  /** As announced; `null` when it was not. */
  readonly sizeBytes: number | null;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Model files that come over the network, kept in a folder of ours. */
export class Uploads {
  readonly #dir: string;
  readonly #freeBytes: (dir: string) => Promise<number>;
  #count = 0;

  private constructor(dir: string, freeBytes: (dir: string) => Promise<number>) {
    this.#dir = dir;
    this.#freeBytes = freeBytes;
  }

  /**
   * Removes what uploads left behind that a crash cut off. Nobody else may be using the folder.
   * @param dir absolute; made at the first upload
   * @param freeBytes what the disk of a folder has room for
   * @throws RoundhouseError `config_invalid` when the folder is there and cannot be used
   */
  static async open(dir: string, freeBytes = freeBytesOf): Promise<Uploads> {
    try {
      const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      await Promise.all(names.filter((name) => PARTIAL.test(name)).map((name) => rm(join(dir, name))));
    } catch (error) {
      throw unusablePath(dir, error);
    }
    return new Uploads(dir, freeBytes);
  }

  /**
   * Writes the file into the folder, under the name it was given as far as that can be one there. When it cannot be
   * received whole, nothing of it stays.
   * @returns its absolute path
   * @throws RoundhouseError `gguf_invalid` as soon as its start says so; `payload_too_large` when the disk has no room;
   *   `config_invalid` when the folder cannot be made; what `body` throws, and why `signal` was fired
   */
  async receive(file: UploadedFile, signal: AbortSignal): Promise<{ readonly path: string }> {
    const name = safeName(file.name);
    await mkdir(this.#dir, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw unusablePath(this.#dir, error);
    });
    await this.#checkSpace(file.sizeBytes);
    signal.throwIfAborted();
    const partial = join(this.#dir, `.upload-${++this.#count}.part`);
    try {
      const handle = await open(partial, 'wx', 0o600);
      try {
        await handle.writeFile(beginningAsGguf(name, file.body), { signal });
        await handle.sync();
      } finally {
        await handle.close();
      }
      signal.throwIfAborted();
      return { path: this.#settle(partial, name) };
    } catch (error) {
      // What cannot be removed now is at the next start; the error is what must be told.
      await rm(partial, { force: true }).catch(() => undefined);
      signal.throwIfAborted();
      throw isDiskFull(error) ? await this.#tooLarge(file.sizeBytes, error) : error;
    }
  }

  async #checkSpace(sizeBytes: number | null): Promise<void> {
    const needed = (sizeBytes ?? 0) + SPARE_BYTES;
    if ((await this.#freeBytes(this.#dir)) < needed) throw await this.#tooLarge(sizeBytes);
  }

  async #tooLarge(sizeBytes: number | null, cause?: unknown): Promise<RoundhouseError> {
    const size = sizeBytes === null ? '' : ` of ${formatBytes(sizeBytes)}`;
    const free = formatBytes(await this.#freeBytes(this.#dir));
    return new RoundhouseError(
      'payload_too_large',
      `The file${size} does not fit: the disk of ${this.#dir} has ${free} free, and ${formatBytes(SPARE_BYTES)} of it ` +
        'stays free. Make room there, or put the file on another disk and add it where it lies.',
      { cause },
    );
  }

  /** No `await` between looking and renaming: another upload of that name may end at the same time. */
  #settle(partial: string, name: string): string {
    const { stem, shard } = splitModelFileName(name);
    for (let number = 1; ; number++) {
      const path = join(this.#dir, `${stem}${number === 1 ? '' : `-${number}`}${shard}.gguf`);
      if (existsSync(path)) continue;
      renameSync(partial, path);
      return path;
    }
  }
}

/**
 * A name for the folder: the last part of what looks like a path, without what some system reads as more than a name.
 * @throws RoundhouseError `gguf_invalid` for anything but a GGUF file
 */
function safeName(given: string): string {
  const last = given.split(/[/\\]/).at(-1) ?? '';
  if (!/\.gguf$/i.test(last)) {
    throw new RoundhouseError(
      'gguf_invalid',
      `${JSON.stringify(last.slice(0, 200))} is not the name of a GGUF file, which ends in .gguf; only GGUF files can be served`,
      { param: 'name' },
    );
  }
  const clean = last.normalize('NFC').replace(/[\p{C}<>:"|?*]/gu, '-');
  const { stem, shard } = splitModelFileName(clean);
  // A hidden file would be passed over in a models folder.
  return `${shortened(stem.replace(/^[. ]+/, ''), MAX_NAME_BYTES) || 'model'}${shard}.gguf`;
}

function shortened(text: string, maxBytes: number): string {
  let short = '';
  for (const character of text) {
    if (Buffer.byteLength(short + character) > maxBytes) break;
    short += character;
  }
  return short;
}

/** The same bytes, for as long as they may be those of a GGUF file. */
async function* beginningAsGguf(name: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of body) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < GGUF_HEAD_BYTES) continue;
    checkGgufHead(name, head.subarray(0, GGUF_HEAD_BYTES));
    yield head;
    head = null;
  }
  if (head === null) return;
  checkGgufHead(name, head);
  yield head;
}

async function freeBytesOf(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
