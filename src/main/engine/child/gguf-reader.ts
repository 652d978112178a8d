import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { RoundhouseError } from '../../../shared/errors.ts';

/*
 * Reads a GGUF file from its start, a window at a time. Two bounds hold whatever the file says: the header may not be
 * longer than a shared allowance, and nothing is kept that the caller did not ask for.
 */

const WINDOW_BYTES = 256 * 1024;

/** Header bytes that may still be read, over all shards of one model. The largest real headers have about 25 MB. */
export class HeaderAllowance {
  readonly limitBytes: number;
  #leftBytes: number;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
    this.#leftBytes = limitBytes;
  }

  /** False when `bytes` more would pass the limit. */
  take(bytes: number): boolean {
    if (bytes > this.#leftBytes) return false;
    this.#leftBytes -= bytes;
    return true;
  }
}

export class GgufReader implements Disposable {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly #name: string;
  readonly #fd: number;
  readonly #allowance: HeaderAllowance;
  readonly #window = Buffer.allocUnsafe(WINDOW_BYTES);
  /** File offset of the window's first byte, bytes in it, and the place of the next byte to hand out. */
  #windowStart = 0;
  #windowLength = 0;
  #at = 0;

  /** @throws RoundhouseError `gguf_invalid` when it cannot be opened or is not a regular file */
  constructor(path: string, allowance: HeaderAllowance) {
    this.#name = basename(path);
    this.#allowance = allowance;
    try {
      // Without O_NONBLOCK, opening a named pipe waits for a writer for ever.
      this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      throw this.invalid(`it cannot be opened (${error instanceof Error ? error.message : String(error)})`);
    }
    const facts = fstatSync(this.#fd);
    this.sizeBytes = facts.size;
    this.mtimeMs = facts.mtimeMs;
    if (!facts.isFile()) {
      this[Symbol.dispose]();
      throw this.invalid('it is not a regular file');
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** Bytes read or skipped so far. */
  get position(): number {
    return this.#windowStart + this.#at;
  }

  /** The error for this file; `reason` completes "… cannot be used: ". */
  invalid(reason: string): RoundhouseError {
    return new RoundhouseError('gguf_invalid', `${this.#name} cannot be used: ${reason}.`);
  }

  u8(): number {
    return this.#window.readUInt8(this.#need(1));
  }

  /** The next byte, which stays the next. */
  peekU8(): number {
    if (this.#at === this.#windowLength) this.#fill(1);
    return this.#window.readUInt8(this.#at);
  }

  i8(): number {
    return this.#window.readInt8(this.#need(1));
  }

  u16(): number {
    return this.#window.readUInt16LE(this.#need(2));
  }

  i16(): number {
    return this.#window.readInt16LE(this.#need(2));
  }

  u32(): number {
    return this.#window.readUInt32LE(this.#need(4));
  }

  i32(): number {
    return this.#window.readInt32LE(this.#need(4));
  }

  f32(): number {
    return this.#window.readFloatLE(this.#need(4));
  }

  f64(): number {
    return this.#window.readDoubleLE(this.#need(8));
  }

  /** 64 bits, rounded to a double where they do not fit: for values, never for counts or offsets. */
  u64Value(): number {
    return Number(this.#window.readBigUInt64LE(this.#need(8)));
  }

  i64Value(): number {
    return Number(this.#window.readBigInt64LE(this.#need(8)));
  }

  /** A 64-bit count or length of at most `limit`; `what` names it in the error. */
  count(limit: number, what: string): number {
    return this.#u64(limit, what, `more than the ${limit.toLocaleString('en')} allowed`);
  }

  /** A 64-bit offset; beyond what a double holds exactly there is no file. */
  offset(what: string): number {
    return this.#u64(Number.MAX_SAFE_INTEGER, what, 'which is beyond the end of any file');
  }

  /** A length-prefixed text of at most `limit` bytes. */
  text(limit: number, what: string): string {
    return this.utf8(this.count(limit, `the length of ${what}`));
  }

  /** A text of `bytes` bytes, at most a window long. */
  utf8(bytes: number): string {
    const at = this.#need(bytes);
    return this.#window.toString('utf8', at, at + bytes);
  }

  /** A text that may be longer than a window. */
  longUtf8(bytes: number): string {
    const chunks: Buffer[] = [];
    for (let left = bytes; left > 0; left -= WINDOW_BYTES) {
      const length = Math.min(left, WINDOW_BYTES);
      const at = this.#need(length);
      chunks.push(Buffer.from(this.#window.subarray(at, at + length)));
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  skip(bytes: number): void {
    this.#charge(bytes);
    if (bytes <= this.#windowLength - this.#at) {
      this.#at += bytes;
      return;
    }
    const position = this.position + bytes;
    if (position > this.sizeBytes) throw this.#truncated(bytes);
    this.#windowStart = position;
    this.#windowLength = 0;
    this.#at = 0;
  }

  #u64(limit: number, what: string, otherwise: string): number {
    const at = this.#need(8);
    const value = this.#window.readUInt32LE(at + 4) * 2 ** 32 + this.#window.readUInt32LE(at);
    if (value <= limit) return value;
    const exact = this.#window.readBigUInt64LE(at);
    throw this.invalid(`${what} is ${exact.toLocaleString('en')}, ${otherwise}`);
  }

  /** Makes the next `bytes` (at most a window) available and gives their place in the window. */
  #need(bytes: number): number {
    this.#charge(bytes);
    if (bytes > this.#windowLength - this.#at) this.#fill(bytes);
    const at = this.#at;
    this.#at += bytes;
    return at;
  }

  #fill(bytes: number): void {
    const position = this.position;
    if (position + bytes > this.sizeBytes) throw this.#truncated(bytes);
    this.#window.copy(this.#window, 0, this.#at, this.#windowLength);
    let length = this.#windowLength - this.#at;
    while (length < WINDOW_BYTES) {
      const read = readSync(this.#fd, this.#window, length, WINDOW_BYTES - length, position + length);
      if (read === 0) break;
      length += read;
    }
    this.#windowStart = position;
    this.#windowLength = length;
    this.#at = 0;
    // The file may have been cut after its size was taken.
    if (length < bytes) throw this.#truncated(bytes);
  }

  #charge(bytes: number): void {
    if (this.#allowance.take(bytes)) return;
    const limit = this.#allowance.limitBytes.toLocaleString('en');
    throw this.invalid(`its header is longer than the ${limit} bytes allowed`);
  }

  #truncated(bytes: number): RoundhouseError {
    const [needed, at, size] = [bytes, this.position, this.sizeBytes].map((number) =>
      number.toLocaleString('en'),
    );
    return this.invalid(
      `it ends inside its header (${needed} bytes are needed at ${at}, the file has ${size}); get the file again`,
    );
  }
}
