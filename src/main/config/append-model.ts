import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, type ParsedNode, parseDocument, stringify, type YAMLMap } from 'yaml';
import { RoundhouseError } from '../../shared/errors.ts';
import { escapeEnvironment } from './yaml-source.ts';

/** A model to write into models.yaml. */
export interface NewModel {
  readonly id: string;
  /** `null` leaves the name to the id. */
  readonly name: string | null;
  /** Absolute path of the GGUF file. */
  readonly file: string;
}

type Entry = Readonly<Record<string, string>>;

/**
 * The text of a valid models.yaml with one more model, at the end of `models`. Whatever else stands in it stays as it
 * is: comments, order, and as a rule every single character.
 * @throws RoundhouseError `config_invalid` when the file is written so that no model can be added to it
 */
export function appendModel(text: string, model: NewModel): string {
  const entry: Entry = {
    ...(model.name === null ? {} : { name: escapeEnvironment(model.name) }),
    file: escapeEnvironment(model.file),
  };
  const before = plainOf(text);
  const expected = { ...before, models: { ...Object(before.models), [model.id]: entry } };
  for (const edit of [insertLines, editDocument]) {
    const edited = edit(text, model.id, entry);
    if (edited !== null && isDeepStrictEqual(plainOf(edited), expected)) return edited;
  }
  const lines = stringify({ [model.id]: entry }, { lineWidth: 0 }).trimEnd();
  throw new RoundhouseError(
    'config_invalid',
    `models.yaml is written in a way that cannot be added to; write this under \`models\` yourself: ${lines}`,
  );
}

function plainOf(text: string): Record<string, unknown> {
  const document = parseDocument(text);
  // A valid models.yaml is a map or empty; anything else fails the comparison that this is for.
  return document.errors.length > 0 ? {} : (document.toJS() ?? {});
}

/** Puts the lines of the model below those of the last one, or of a new `models` section; touches nothing else. */
function insertLines(text: string, id: string, entry: Entry): string | null {
  const { contents } = parseDocument(text);
  if (contents === null || isEmpty(contents)) return addAtEnd(text, 0, id, entry);
  if (!isBlockMap(contents)) return null;
  const models = contents.items.find((pair) => isScalar(pair.key) && pair.key.value === 'models');
  if (!models) return addAtEnd(text, columnOf(text, contents), id, entry);
  if (models.value === null || isEmpty(models.value)) {
    return insertAfterLine(text, models.key.range[1], linesOf({ [id]: entry }, columnOf(text, contents) + 2));
  }
  if (!isBlockMap(models.value)) return null;
  const endOffset = models.value.items.at(-1)?.value?.range[1];
  if (endOffset === undefined) return null;
  return insertAfterLine(text, endOffset, linesOf({ [id]: entry }, columnOf(text, models.value)));
}

/** Puts `lines` below the line on which `offset` lies, or at `offset` when a line has just ended there. */
function insertAfterLine(text: string, offset: number, lines: string): string {
  const next = text[offset - 1] === '\n' ? offset : text.indexOf('\n', offset) + 1;
  return next === 0 ? `${text}\n${lines}` : text.slice(0, next) + lines + text.slice(next);
}

function addAtEnd(text: string, column: number, id: string, entry: Entry): string {
  const newline = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${newline}${linesOf({ models: { [id]: entry } }, column)}`;
}

function linesOf(value: unknown, column: number): string {
  return stringify(value, { lineWidth: 0 }).replace(/^(?=.)/gm, ' '.repeat(column));
}

/** For maps within braces: spaces may change, comments and order stay. */
function editDocument(text: string, id: string, entry: Entry): string | null {
  const document = parseDocument(text);
  const models = document.get('models', true);
  if (!isMap(models)) return null;
  models.set(document.createNode(id), document.createNode(entry));
  return document.toString({ lineWidth: 0 });
}

function isBlockMap(node: ParsedNode | null): node is YAMLMap.Parsed {
  return isMap(node) && node.flow !== true && node.items.length > 0;
}

function isEmpty(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null;
}

function columnOf(text: string, map: YAMLMap.Parsed): number {
  return map.range[0] - (text.lastIndexOf('\n', map.range[0] - 1) + 1);
}
