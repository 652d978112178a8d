import { isMap, parseDocument } from 'yaml';
import { RoundhouseError } from '../../shared/errors.ts';
import { editTo, pairOf, plainOf, removePair } from '../yaml/edit-yaml.ts';

/**
 * The text of a valid models.yaml without one entry of a section. Whatever else stands in it stays as it is, every single
 * character.
 * @param name of an entry that is there
 * @throws RoundhouseError `config_invalid` when it is written so that it cannot be taken out by itself
 */
export function removeEntry(text: string, section: 'models' | 'providers', name: string): string {
  const before = plainOf(text);
  const { [name]: _, ...others } = { ...Object(before[section]) };
  // Without its last entry a section in lines is empty, which is as good as `{}`.
  const left = Object.keys(others).length === 0 ? [others, null] : [others];
  for (const entries of left) {
    const edited = editTo(text, { ...before, [section]: entries }, [(whole) => edit(whole, section, name)]);
    if (edited !== null) return edited;
  }
  throw new RoundhouseError(
    'config_invalid',
    `the entry of "${name}" in models.yaml is written in a way that cannot be taken out; take it out there yourself`,
  );
}

function edit(text: string, section: string, name: string): string | null {
  const entries = pairOf(parseDocument(text).contents, section)?.value ?? null;
  const there = pairOf(entries, name);
  return isMap(entries) && there !== null ? removePair(text, entries, there) : null;
}
