import fc from 'fast-check';
import { expect, test } from 'vitest';
import { likelyName, nearestNames } from './nearest.ts';

const NAMES = ['llama', 'mistral', 'mistral-7b', 'demo', 'contextSize', 'port'];

test('the nearest names come first', () => {
  expect(nearestNames('mistal', NAMES, 2)).toEqual(['mistral', 'mistral-7b']);
  expect(nearestNames('anything', NAMES, 3)).toHaveLength(3);
  expect(nearestNames('anything', [], 3)).toEqual([]);
});

test('slips of the finger are recognised, strangers are not', () => {
  const meant = ['lama', 'contextsize', 'prot', 'Demo', 'gpt-4.1', ''].map((wrong) =>
    likelyName(wrong, NAMES),
  );
  expect(meant).toEqual(['llama', 'contextSize', 'port', 'demo', null, null]);
});

test('a name is nearest to itself, and there are never more than asked for', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string(), { minLength: 1, selector: (name) => name.toLowerCase() }),
      fc.nat(5),
      (names, count) => {
        const near = nearestNames(names[0] ?? '', names, count);
        expect(near.length).toBeLessThanOrEqual(count);
        if (count > 0) expect(near[0]).toBe(names[0]);
      },
    ),
  );
});
