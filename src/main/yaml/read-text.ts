import { readFile, stat } from 'node:fs/promises';
import type { ConfigProblem } from '../../shared/contract.ts';
import { MAX_YAML_BYTES, tooLarge } from './yaml-source.ts';

/** The text of a YAML file, or why there is none: at most `MAX_YAML_BYTES` are read. */
export async function readText(file: string): Promise<string | { problems: readonly ConfigProblem[] }> {
  try {
    const { size } = await stat(file);
    return size > MAX_YAML_BYTES ? { problems: [tooLarge(file, size)] } : await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const message = code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`;
    return { problems: [{ file, line: null, message }] };
  }
}
