import { isMap, parseDocument, type YAMLMap } from 'yaml';
import { RoundhouseError } from '../../shared/errors.ts';
import { columnOf, editTo, insertAfterLine, lineEnd, linesOf, pairOf, plainOf } from '../yaml/edit-yaml.ts';

const KEY = 'pinned';

/**
 * The text of a valid models.yaml with `pinned: true` in the entry of a model, or without that key. Whatever else stands
 * in it stays as it is, every single character.
 * @param id of a model that has an entry of its own
 * @throws RoundhouseError `config_invalid` when the entry is written so that it cannot be changed by itself
 */
export function pinModel(text: string, id: string, pinned: boolean): string {
  const edited = editTo(text, expectedOf(text, id, pinned), [(whole) => edit(whole, id, pinned)]);
  if (edited !== null) return edited;
  const todo = pinned ? `write \`${KEY}: true\` there yourself` : `take \`${KEY}\` out there yourself`;
  throw new RoundhouseError(
    'config_invalid',
    `the entry of "${id}" in models.yaml is written in a way that cannot be changed; ${todo}`,
  );
}

function expectedOf(text: string, id: string, pinned: boolean): Record<string, unknown> {
  const before = plainOf(text);
  const models = { ...Object(before.models) };
  const { [KEY]: _, ...others } = { ...Object(models[id]) };
  return { ...before, models: { ...models, [id]: pinned ? { ...others, [KEY]: true } : others } };
}

type Item = YAMLMap.Parsed['items'][number];

/** Touches nothing but the key itself; `null` where the entry is not a map of its own. */
function edit(text: string, id: string, pinned: boolean): string | null {
  const entry = pairOf(pairOf(parseDocument(text).contents, 'models')?.value ?? null, id)?.value ?? null;
  if (!isMap(entry)) return null;
  const there = pairOf(entry, KEY);
  if (!pinned) return there === null ? text : remove(text, entry, there);
  if (there === null) return add(text, entry);
  if (there.value === null) return null;
  const [start, end] = there.value.range;
  return `${text.slice(0, start)}true${text.slice(end)}`;
}

function add(text: string, entry: YAMLMap.Parsed): string | null {
  const end = entry.items.at(-1)?.value?.range[1];
  if (end === undefined) return null;
  if (entry.flow === true) return `${text.slice(0, end)}, ${KEY}: true${text.slice(end)}`;
  return insertAfterLine(text, end, linesOf({ [KEY]: true }, columnOf(text, entry)));
}

function remove(text: string, entry: YAMLMap.Parsed, item: Item): string | null {
  const range = entry.flow === true ? withinBraces(text, entry, item) : wholeLines(text, item);
  return range === null ? null : text.slice(0, range[0]) + text.slice(range[1]);
}

type Range = readonly [start: number, end: number];

/** The key and its value with the comma to one side, where no comment would go too; else without a comma. */
function withinBraces(text: string, { items }: YAMLMap.Parsed, item: Item): Range | null {
  if (item.value === null) return null;
  const [start] = item.key.range;
  const [, end] = item.value.range;
  const index = items.indexOf(item);
  const before = items[index - 1]?.value?.range[1] ?? start;
  const after = items[index + 1]?.key.range[0] ?? end;
  const ranges: readonly Range[] = [
    ...(before < start ? [[before, end] as const] : []),
    ...(after > end ? [[start, after] as const] : []),
    [start, end],
  ];
  return ranges.find((range) => !text.slice(...range).includes('#')) ?? null;
}

function wholeLines(text: string, { key, value }: Item): Range | null {
  const start = text.lastIndexOf('\n', key.range[0] - 1) + 1;
  if (value === null || text.slice(start, key.range[0]).trim() !== '') return null;
  return [start, lineEnd(text, value.range[1]) ?? text.length];
}
