import type { KeyPath } from '../yaml/yaml-source.ts';

/**
 * Reads a key as people and problems write it: `server.port`, `models."Mistral 7B".file`, `budgets[0].limit`.
 * @param namesAt the names that entries have below a path; one that holds dots, such as `gpt-4.1`, needs no quotes then
 * @returns `null` for what is not written as a key
 */
export function parseKeyPath(text: string, namesAt: (path: KeyPath) => readonly string[]): KeyPath | null {
  const path: (string | number)[] = [];
  let rest = text;
  while (rest !== '') {
    const step = firstStep(path.length === 0 ? `.${rest}` : rest, namesAt(path));
    if (step === null) return null;
    path.push(step.key);
    rest = step.rest;
  }
  return path.length === 0 ? null : path;
}

function firstStep(
  text: string,
  names: readonly string[],
): { readonly key: string | number; readonly rest: string } | null {
  const index = /^\[(\d{1,9})\]/.exec(text);
  if (index) return { key: Number(index[1]), rest: text.slice(index[0].length) };
  if (!text.startsWith('.')) return null;
  const rest = text.slice(1);
  const quoted = /^"(?:[^"\\]|\\.)*"/.exec(rest)?.[0];
  if (quoted !== undefined) {
    const key = unquoted(quoted);
    return key === null ? null : { key, rest: rest.slice(quoted.length) };
  }
  const known = names
    .filter((name) => rest.startsWith(name) && /^(?:$|[.[])/.test(rest.slice(name.length)))
    .toSorted((a, b) => b.length - a.length)[0];
  const key = known ?? /^[^.[\]"]+/.exec(rest)?.[0];
  return key === undefined ? null : { key, rest: rest.slice(key.length) };
}

function unquoted(text: string): string | null {
  try {
    // A JSON string is a string.
    return JSON.parse(text) as string;
  } catch {
    return null;
  }
}
