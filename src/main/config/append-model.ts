import { isMap, isScalar, type ParsedNode, parseDocument, stringify } from 'yaml';
import type { MemorySettingsView } from '../../shared/contract.ts';
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
import { escapeEnvironment } from '../yaml/yaml-source.ts';

/** A model to write into models.yaml. */
export interface NewModel {
  readonly id: string;
  /** `null` leaves the name to the id. */
  readonly name: string | null;
  /** Absolute path of the GGUF file. */
  readonly file: string;
  /** Those left out are the defaults, also when these change. */
  readonly settings: Readonly<Partial<MemorySettingsView>>;
  readonly pinned: boolean;
}

type Entry = Readonly<Record<string, string | number | boolean>>;

/**
 * The text of a valid models.yaml with one more model, at the end of `models`. Whatever else stands in it stays as it
 * is: comments, order, and as a rule every single character.
 * @throws RoundhouseError `config_invalid` when the file is written so that no model can be added to it
 */
export function appendModel(text: string, model: NewModel): string {
  const { id } = model;
  const entry: Entry = {
    ...(model.name === null ? {} : { name: escapeEnvironment(model.name) }),
    file: escapeEnvironment(model.file),
    ...model.settings,
    ...(model.pinned ? { pinned: true } : {}),
  };
  const before = plainOf(text);
  const edited = editTo(text, { ...before, models: { ...Object(before.models), [id]: entry } }, [
    (whole) => insertLines(whole, id, entry),
    (whole) => editDocument(whole, id, entry),
  ]);
  if (edited !== null) return edited;
  const lines = stringify({ [id]: entry }, { lineWidth: 0 }).trimEnd();
  throw new RoundhouseError(
    'config_invalid',
    `models.yaml is written in a way that cannot be added to; write this under \`models\` yourself: ${lines}`,
  );
}

/** Puts the lines of the model below those of the last one, or of a new `models` section; touches nothing else. */
function insertLines(text: string, id: string, entry: Entry): string | null {
  const { contents } = parseDocument(text);
  if (contents === null || isEmpty(contents)) return addAtEnd(text, 0, id, entry);
  if (!isBlockMap(contents)) return null;
  const models = pairOf(contents, 'models');
  if (!models) return addAtEnd(text, columnOf(text, contents), id, entry);
  if (models.value === null || isEmpty(models.value)) {
    return insertAfterLine(text, models.key.range[1], linesOf({ [id]: entry }, columnOf(text, contents) + 2));
  }
  if (!isBlockMap(models.value)) return null;
  const endOffset = models.value.items.at(-1)?.value?.range[1];
  if (endOffset === undefined) return null;
  return insertAfterLine(text, endOffset, linesOf({ [id]: entry }, columnOf(text, models.value)));
}

function addAtEnd(text: string, column: number, id: string, entry: Entry): string {
  const newline = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${newline}${linesOf({ models: { [id]: entry } }, column)}`;
}

/** For maps within braces: spaces may change, comments and order stay. */
function editDocument(text: string, id: string, entry: Entry): string | null {
  const document = parseDocument(text);
  const models = document.get('models', true);
  if (!isMap(models)) return null;
  models.set(document.createNode(id), document.createNode(entry));
  return document.toString({ lineWidth: 0 });
}

function isEmpty(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null;
}
