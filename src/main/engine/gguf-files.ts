import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const SHARD_NAME = /^(?<prefix>.+)-(?<number>\d{5})-of-(?<count>\d{5})\.gguf$/i;

/** Place of one file among the shards of a model, read from its name (`…-00001-of-00003.gguf`). */
export interface ShardName {
  /** Counted from 1. */
  readonly number: number;
  readonly count: number;
  /** Path of shard `number`, beside this one. */
  pathOf(number: number): string;
}

/** `null` when the file name does not name a shard. */
export function shardName(path: string): ShardName | null {
  const groups = SHARD_NAME.exec(basename(path))?.groups;
  if (!groups?.prefix || !groups.number || !groups.count) return null;
  const { prefix, count } = groups;
  return {
    number: Number(groups.number),
    count: Number(count),
    pathOf: (number) => join(dirname(path), `${prefix}-${String(number).padStart(5, '0')}-of-${count}.gguf`),
  };
}

/** Size and modification time of one file, from `stat`. */
export interface FileFacts {
  readonly size: number;
  readonly mtimeMs: number;
}

/** What changes when any of a model's files is replaced, grows or is touched: sizes and times, in shard order. */
export function identityOf(files: readonly FileFacts[]): string {
  return files.map((file) => `${file.size}@${Math.round(file.mtimeMs)}`).join(' ');
}

/**
 * Identity of the model at `path` (its first shard), without opening a file.
 * @throws the error of `stat` when a file is not there
 */
export async function readIdentity(path: string): Promise<string> {
  return identityOf(await Promise.all(filesOf(path).map((shard) => stat(shard))));
}

/** All files of the model at `path` (its first shard), in order, whether or not they are there. */
export function filesOf(path: string): readonly string[] {
  const shards = shardName(path);
  return shards ? Array.from({ length: shards.count }, (_, index) => shards.pathOf(index + 1)) : [path];
}
