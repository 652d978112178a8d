import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beatsPrefill, isLongEnough, LearnedRate, type Valued, victimsFor, worthOf } from './prefix-value.ts';

const HOUR_MS = 3600_000;
const MB = 1e6;
const prefix: Valued = { bytes: 20 * MB, prefillMs: 1000, usedAtMs: 0 };

describe('worth', () => {
  test('grows with the prefill saved and with recency, and falls with bytes', () => {
    const worth = worthOf(prefix);
    expect(worthOf({ ...prefix, prefillMs: 2000 })).toBeGreaterThan(worth);
    expect(worthOf({ ...prefix, usedAtMs: 1 })).toBeGreaterThan(worth);
    expect(worthOf({ ...prefix, bytes: 21 * MB })).toBeLessThan(worth);
  });

  test('is halved in six hours without use', () => {
    const half = { ...prefix, prefillMs: 500, usedAtMs: 6 * HOUR_MS };
    expect(worthOf(half)).toBeCloseTo(worthOf(prefix), 10);
  });
});

test('a prefix of more than 256 tokens is long enough', () => {
  expect([256, 257].map(isLongEnough)).toEqual([false, true]);
});

test('restoring beats prefill only when it is expected to be quicker', () => {
  expect(beatsPrefill(20 * MB, 23, 1e-6)).toBe(true);
  expect(beatsPrefill(20 * MB, 22, 1e-6)).toBe(false);
  expect(beatsPrefill(1, 1, 1e-9)).toBe(false);
});

describe('who gives way', () => {
  const kept = fc.array(
    fc.record({ bytes: fc.integer({ min: 1, max: 50 }), worth: fc.integer({ min: 0, max: 20 }) }),
    {
      maxLength: 8,
    },
  );

  test('is just enough of what is worth least, and less than what comes, or nobody', () => {
    fc.assert(
      fc.property(
        kept,
        fc.nat(100),
        fc.integer({ min: -50, max: 50 }),
        fc.nat(21),
        (all, bytes, free, below) => {
          const victims = victimsFor(all, ({ worth }) => worth, bytes, free, below);
          const sum = (some: readonly { bytes: number }[]) =>
            some.reduce((total, one) => total + one.bytes, 0);
          const givable = all.filter(({ worth }) => worth < below);
          if (victims === null) {
            expect(free + sum(givable)).toBeLessThan(bytes);
            return;
          }
          expect(free + sum(victims)).toBeGreaterThanOrEqual(bytes);
          const most = Math.max(...victims.map(({ worth }) => worth));
          for (const { worth } of victims) expect(worth).toBeLessThan(below);
          for (const spared of all.filter((one) => !victims.includes(one))) {
            if (victims.length > 0) expect(spared.worth).toBeGreaterThanOrEqual(most);
          }
          // Without the last of them it would not have been enough.
          if (victims.length > 0) expect(free + sum(victims.slice(0, -1))).toBeLessThan(bytes);
        },
      ),
    );
  });

  test('is nobody when there is room', () => {
    expect(victimsFor([{ bytes: 5 }], () => 0, 10, 10, 1)).toEqual([]);
  });
});

describe('a learned rate', () => {
  test('is what was taken for it, then what is seen, the latest most', () => {
    const rate = new LearnedRate(10, 10);
    expect(rate.msPerUnit).toBe(1);
    for (let count = 0; count < 20; count++) rate.add(300, 100);
    expect(rate.msPerUnit).toBeCloseTo(3, 4);
    rate.add(100, 100);
    expect(rate.msPerUnit).toBeGreaterThan(1.5);
    expect(rate.msPerUnit).toBeLessThan(2.5);
  });

  test('that was too high to be tried is believed less each time', () => {
    const rate = new LearnedRate(1000, 1);
    for (let count = 0; count < 25; count++) rate.doubt();
    expect(rate.msPerUnit).toBeLessThan(1);
  });
});
