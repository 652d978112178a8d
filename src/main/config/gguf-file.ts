import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { RoundhouseError } from '../../shared/errors.ts';

/** The fixed part of a GGUF header: magic, version, two counts. */
const MIN_BYTES = 24;
/** How much of a file's start tells what it is. */
export const GGUF_HEAD_BYTES = 32;

/**
 * Checks that a path leads, through whatever links, to a regular file that begins as GGUF files do. Nothing else of it
 * is read here: parsing is done in a process of its own.
 * @returns its size
 * @throws RoundhouseError `gguf_invalid`, with what was found instead
 */
export async function checkGgufFile(path: string): Promise<{ sizeBytes: number }> {
  // Opening a named pipe would wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      throw invalid(path, reasonOf(error));
    },
  );
  try {
    return await checkOpen(path, file);
  } finally {
    await file.close();
  }
}

async function checkOpen(path: string, file: FileHandle): Promise<{ sizeBytes: number }> {
  const stat = await file.stat();
  if (stat.isDirectory()) throw invalid(path, 'is a folder; name a file in it');
  if (!stat.isFile()) throw invalid(path, 'is not a regular file');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(GGUF_HEAD_BYTES), 0, GGUF_HEAD_BYTES, 0);
  checkGgufHead(path, buffer.subarray(0, bytesRead));
  return { sizeBytes: stat.size };
}

/**
 * Checks how a file begins.
 * @param label what a message calls the file
 * @param head its first `GGUF_HEAD_BYTES`, or all of it when it is shorter
 * @throws RoundhouseError `gguf_invalid`
 */
export function checkGgufHead(label: string, head: Buffer): void {
  if (head.length < MIN_BYTES) {
    throw invalid(label, `is ${head.length} bytes long, too short for a GGUF file; download it again`);
  }
  const text = head.toString('latin1');
  if (text.startsWith('GGUF')) return;
  const shown = text.slice(0, 12).replace(/[^ -~]/g, '.');
  throw invalid(label, `starts with "${shown}", not with "GGUF"${explain(text)}`);
}

function explain(head: string): string {
  if (/^\s*<(!doctype|html)/i.test(head))
    return '; a web page was saved instead of the model: download it again';
  if (head.startsWith('version https://git-lfs'))
    return '; it is a Git LFS pointer: `git lfs pull` gets the model';
  return '; only GGUF files can be served';
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'is not there; check the path';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read; check its permissions';
    case 'ELOOP':
      return 'is a link that leads back to itself';
    case 'ENXIO':
      return 'is not a regular file';
    default:
      return `cannot be read (${error.code ?? error.message})`;
  }
}

function invalid(label: string, what: string): RoundhouseError {
  return new RoundhouseError('gguf_invalid', `${label} ${what}`);
}
