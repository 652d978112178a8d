import { open, stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/*
 * The files that llama.cpp writes of a slot's state: `ggsq`, a version, the number of tokens, the tokens, and the cache.
 * Source: llama.cpp, `llama_state_seq_save_file`. Only the beginning is read here; the rest is llama.cpp's.
 */

const MAGIC = 0x67677371;
const HEADER_BYTES = 12;
const CHUNK_BYTES = 1024 ** 2;

/** What a file must be to be the one that was saved. */
export interface StateFacts {
  readonly tokens: number;
  readonly bytes: number;
  readonly crc32: number;
}

/**
 * The tokens whose state a file holds.
 * @throws Error when the file is not there, or not what was saved as far as its size and beginning show
 */
export async function readStateTokens(
  path: string,
  expected: Pick<StateFacts, 'tokens' | 'bytes'>,
): Promise<Uint32Array> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  if (size !== expected.bytes) throw new Error(`it has ${size} bytes instead of ${expected.bytes}`);
  const head = Buffer.alloc(HEADER_BYTES + 4 * expected.tokens);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  if (bytesRead < head.length || head.readUInt32LE(0) !== MAGIC) throw new Error('it is no state of a slot');
  const tokens = head.readUInt32LE(8);
  if (tokens !== expected.tokens) throw new Error(`it has ${tokens} tokens instead of ${expected.tokens}`);
  return Uint32Array.from({ length: tokens }, (_, index) => head.readUInt32LE(HEADER_BYTES + 4 * index));
}

/**
 * Size and checksum of a whole file.
 * @throws Error when it cannot be read
 */
export async function checksumOf(path: string): Promise<Pick<StateFacts, 'bytes' | 'crc32'>> {
  await using file = await open(path, 'r');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let bytes = 0;
  let sum = 0;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, bytes);
    if (bytesRead === 0) return { bytes, crc32: sum };
    sum = crc32(chunk.subarray(0, bytesRead), sum);
    bytes += bytesRead;
  }
}

/** Creates an empty file for its owner alone, which llama.cpp then writes into. @throws Error when it is there */
export async function createPrivateFile(path: string): Promise<void> {
  await using _file = await open(path, 'wx', 0o600);
}

/** @throws Error when a file was not written to its end: llama.cpp does not look at what closing a file says */
export async function expectSize(path: string, bytes: number): Promise<void> {
  const { size } = await stat(path);
  if (size !== bytes) throw new Error(`only ${size} of ${bytes} bytes were written`);
}
