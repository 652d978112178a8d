import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseSlot, commonPrefixLength, type SlotView } from './slots.ts';

const slot = (tokens: readonly number[], lastUsed = 0, busy = false): SlotView => ({
  tokens,
  lastUsed,
  busy,
});

test('the slot that shares the longest beginning is chosen', () => {
  const slots = [slot([1, 2, 9]), slot([1, 2, 3, 9]), slot([9, 1, 2, 3, 4])];
  expect(chooseSlot(slots, [1, 2, 3, 4])).toBe(1);
});

test('a busy slot is not chosen, however well it fits', () => {
  expect(chooseSlot([slot([1, 2, 3], 0, true), slot([])], [1, 2, 3])).toBe(1);
  expect(chooseSlot([slot([], 0, true), slot([], 1, true)], [1])).toBe(-1);
  expect(chooseSlot([], [1])).toBe(-1);
});

test('among equals it is the one that was used longest ago', () => {
  expect(chooseSlot([slot([7], 3), slot([8], 1), slot([9], 2)], [1])).toBe(1);
  expect(chooseSlot([slot([1, 5], 3), slot([8], 1), slot([1, 6], 2)], [1])).toBe(2);
});

const tokens = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 6 });
const slots = fc.array(fc.record({ tokens, busy: fc.boolean(), lastUsed: fc.nat(5) }), { maxLength: 5 });

test('any choice is free, and no free slot fits better or was used longer ago', () => {
  fc.assert(
    fc.property(slots, tokens, (views, prompt) => {
      const chosen = views[chooseSlot(views, prompt)];
      const free = views.filter(({ busy }) => !busy);
      expect(chosen === undefined).toBe(free.length === 0);
      if (!chosen) return;
      expect(chosen.busy).toBe(false);
      const prefix = commonPrefixLength(chosen.tokens, prompt);
      for (const other of free) {
        const otherPrefix = commonPrefixLength(other.tokens, prompt);
        expect(otherPrefix).toBeLessThanOrEqual(prefix);
        if (otherPrefix === prefix) expect(other.lastUsed).toBeGreaterThanOrEqual(chosen.lastUsed);
      }
    }),
  );
});

test('a common beginning is as long as it is equal, and no longer', () => {
  fc.assert(
    fc.property(tokens, tokens, (a, b) => {
      const length = commonPrefixLength(a, b);
      expect(a.slice(0, length)).toEqual(b.slice(0, length));
      if (length < Math.min(a.length, b.length)) expect(a[length]).not.toBe(b[length]);
    }),
  );
});
