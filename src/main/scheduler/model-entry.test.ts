import fc from 'fast-check';
import { expect, test } from 'vitest';
import { largestPrediction, reservedBytes } from './model-entry.ts';

test('for the largest prediction no more is reserved than there is, and for a little more it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 2 ** 45 }), fc.boolean(), (bytes, learned) => {
      const prediction = largestPrediction(bytes, learned);
      expect(reservedBytes(prediction, learned)).toBeLessThanOrEqual(bytes);
      expect(reservedBytes(prediction + 2, learned)).toBeGreaterThan(bytes);
    }),
  );
});
