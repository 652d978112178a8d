import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fakeRequest } from '../../../test/fakes/fake-requests.ts';
import { mergeRequests } from './merge-requests.ts';

it('lists each request once, the newest first, whatever comes together', () => {
  const ids = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 });
  fc.assert(
    fc.property(ids, ids, (before, more) => {
      const listed = [...new Set(before)].toSorted((a, b) => b - a).map((id) => fakeRequest(id));
      const merged = mergeRequests(
        listed,
        more.map((id) => fakeRequest(id)),
      );
      const expected = [...new Set([...before, ...more])].toSorted((a, b) => b - a);
      expect(merged.map((row) => row.id)).toEqual(expected);
    }),
  );
});

it('leaves the list as it is when nothing comes', () => {
  const rows = [fakeRequest(2), fakeRequest(1)];
  expect(mergeRequests(rows, [])).toBe(rows);
});
