import { basename } from 'node:path';
import { isName } from '../../shared/config-fields.ts';

const SHARD = /-(\d{5})-of-\d{5}$/;

/** What a GGUF file is called and which part of a split model it is: `Mistral-7B` and `-00001-of-00003`, or nothing. */
export function splitModelFileName(path: string): { readonly stem: string; readonly shard: string } {
  const name = basename(path).replace(/\.gguf$/i, '');
  const stem = name.replace(SHARD, '');
  return { stem, shard: name.slice(stem.length) };
}

/** The name of a GGUF file without folder, ending and shard number: `Mistral-7B-Q4_K_M`. */
export function modelFileName(path: string): string {
  return splitModelFileName(path).stem;
}

/** False for the second and later files of a split model: only the first is ever named. */
export function isFirstShard(path: string): boolean {
  const number = SHARD.exec(basename(path).replace(/\.gguf$/i, ''))?.[1];
  return number === undefined || Number(number) === 1;
}

/** An id made from a name: lower case, with `-` for whatever is not a letter, digit, dot or underscore. */
export function slugOf(name: string): string {
  const slug = [
    ...name
      .normalize('NFC')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}._]+/gu, '-'),
  ]
    .slice(0, 100)
    .join('')
    .replace(/^[-.]+|[-.]+$/g, '');
  return isName(slug) ? slug : 'model';
}

/** `id`, or `id-2`, `id-3`, … when it is taken. */
export function uniqueId(id: string, taken: ReadonlySet<string>): string {
  if (!taken.has(id)) return id;
  for (let number = 2; ; number++) {
    const candidate = `${id}-${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}
