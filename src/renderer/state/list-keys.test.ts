import { expect, it } from 'vitest';
import { placeOfKey } from './list-keys.ts';

it.each<[string, number, number | null]>([
  ['ArrowDown', -1, 0],
  ['ArrowDown', 98, 99],
  ['ArrowDown', 99, 99],
  ['ArrowUp', 0, 0],
  ['PageDown', 5, 25],
  ['PageDown', 95, 99],
  ['PageUp', 5, 0],
  ['Home', 50, 0],
  ['End', 50, 99],
  ['a', 50, null],
])('%s from %i leads to %s', (key, at, to) => {
  expect(placeOfKey(key, at, 20, 100)).toBe(to);
});

it('leads nowhere in an empty list', () => {
  expect(placeOfKey('End', -1, 20, 0)).toBeNull();
});
