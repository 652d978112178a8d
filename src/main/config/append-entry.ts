import { isMap, isScalar, type ParsedNode, parseDocument, stringify } from 'yaml';
import { RoundhouseError } from '../../shared/errors.ts';
import {
  columnOf,
  editTo,
  insertAfterLine,
  isBlockMap,
  linesOf,
  pairOf,
  plainOf,
} from '../yaml/edit-yaml.ts';

export type NewEntry = Readonly<Record<string, string | number | boolean>>;

/**
 * The text of a valid models.yaml with one more entry at the end of a section. Whatever else stands in it stays as it
 * is: comments, order, and as a rule every single character.
 * @throws RoundhouseError `config_invalid` when the file is written so that nothing can be added to it
 */
export function appendEntry(
  text: string,
  section: 'models' | 'providers',
  name: string,
  entry: NewEntry,
): string {
  const before = plainOf(text);
  const edited = editTo(text, { ...before, [section]: { ...Object(before[section]), [name]: entry } }, [
    (whole) => insertLines(whole, section, name, entry),
    (whole) => editDocument(whole, section, name, entry),
  ]);
  if (edited !== null) return edited;
  const lines = stringify({ [name]: entry }, { lineWidth: 0 }).trimEnd();
  throw new RoundhouseError(
    'config_invalid',
    `models.yaml is written in a way that cannot be added to; write this under \`${section}\` yourself: ${lines}`,
  );
}

/** Puts the lines of the entry below those of the last one, or of a new section; touches nothing else. */
function insertLines(text: string, section: string, name: string, entry: NewEntry): string | null {
  const { contents } = parseDocument(text);
  if (contents === null || isEmpty(contents)) return addAtEnd(text, 0, section, name, entry);
  if (!isBlockMap(contents)) return null;
  const there = pairOf(contents, section);
  if (!there) return addAtEnd(text, columnOf(text, contents), section, name, entry);
  if (there.value === null || isEmpty(there.value)) {
    return insertAfterLine(
      text,
      there.key.range[1],
      linesOf({ [name]: entry }, columnOf(text, contents) + 2),
    );
  }
  if (!isBlockMap(there.value)) return null;
  const endOffset = there.value.items.at(-1)?.value?.range[1];
  if (endOffset === undefined) return null;
  return insertAfterLine(text, endOffset, linesOf({ [name]: entry }, columnOf(text, there.value)));
}

function addAtEnd(text: string, column: number, section: string, name: string, entry: NewEntry): string {
  const newline = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${newline}${linesOf({ [section]: { [name]: entry } }, column)}`;
}

/** For maps within braces: spaces may change, comments and order stay. */
function editDocument(text: string, section: string, name: string, entry: NewEntry): string | null {
  const document = parseDocument(text);
  const there = document.get(section, true);
  if (!isMap(there)) return null;
  there.set(document.createNode(name), document.createNode(entry));
  return document.toString({ lineWidth: 0 });
}

function isEmpty(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null;
}
