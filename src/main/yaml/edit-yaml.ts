import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, type ParsedNode, parseDocument, stringify, type YAMLMap } from 'yaml';

/*
 * Changing a YAML text without disturbing the rest of it: the text itself is edited where it can be, and every edit is
 * held against the values that must come out of it.
 */

/** Gives the edited text, or `null` when the text is not written so that it could. */
export type Edit = (text: string) => string | null;

/** The first of these edits that makes `expected` of the text; `null` when none does. */
export function editTo(
  text: string,
  expected: Record<string, unknown>,
  edits: readonly Edit[],
): string | null {
  for (const edit of edits) {
    const edited = edit(text);
    if (edited !== null && isDeepStrictEqual(plainOf(edited), expected)) return edited;
  }
  return null;
}

/** What the text says, with nothing read from the environment. */
export function plainOf(text: string): Record<string, unknown> {
  const document = parseDocument(text);
  // A valid models.yaml is a map or empty; anything else fails the comparison that this is for.
  return document.errors.length > 0 ? {} : (document.toJS() ?? {});
}

/** Puts `lines` below the line on which `offset` lies, or at `offset` when a line has just ended there. */
export function insertAfterLine(text: string, offset: number, lines: string): string {
  const next = lineEnd(text, offset);
  return next === null ? `${text}\n${lines}` : text.slice(0, next) + lines + text.slice(next);
}

/** Where the line begins that follows the one on which `offset` lies; `null` behind a last line without an end. */
export function lineEnd(text: string, offset: number): number | null {
  if (text[offset - 1] === '\n') return offset;
  const next = text.indexOf('\n', offset) + 1;
  return next === 0 ? null : next;
}

/** The value as lines that begin in this column. */
export function linesOf(value: unknown, column: number): string {
  return stringify(value, { lineWidth: 0 }).replace(/^(?=.)/gm, ' '.repeat(column));
}

export function columnOf(text: string, map: YAMLMap.Parsed): number {
  return map.range[0] - (text.lastIndexOf('\n', map.range[0] - 1) + 1);
}

/** True for a map that is written in lines, not within braces, and is not empty. */
export function isBlockMap(node: ParsedNode | null): node is YAMLMap.Parsed {
  return isMap(node) && node.flow !== true && node.items.length > 0;
}

/** The pair under `key` of a map as it was read; `null` when there is none, or no map. */
export function pairOf(node: ParsedNode | null, key: string): YAMLMap.Parsed['items'][number] | null {
  if (!isMap(node)) return null;
  return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key) ?? null;
}
