import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedThreads } from './threads.ts';

test.each([
  [8, 1, 7],
  [8, 2, 3],
  [8, 7, 1],
  [8, 20, 1],
  [2, 1, 1],
  [1, 1, 1],
  [8, 0, 7],
])('%i cores for %i engines: %i threads each', (cores, engines, threads) => {
  expect(sharedThreads(cores, engines)).toBe(threads);
});

test('engines together leave a core free, as long as there is one thread for each', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 64 }), (cores, engines) => {
      const threads = sharedThreads(cores, engines);
      expect(Number.isInteger(threads) && threads >= 1).toBe(true);
      if (threads > 1) expect(threads * engines).toBeLessThan(cores);
      else expect((threads + 1) * engines).toBeGreaterThan(cores - 1);
    }),
  );
});
