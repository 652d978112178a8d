import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LatencyGroup, percentilesOf, tokensPerSecond } from './percentiles.ts';

const values = fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 400 });
const PERCENTS = [50, 95, 99] as const;

test('a percentile is the smallest value that so many do not exceed', () => {
  fc.assert(
    fc.property(values, (all) => {
      const found = percentilesOf(all);
      for (const percent of PERCENTS) {
        const naive = Math.min(
          ...all.filter(
            (value) => all.filter((other) => other <= value).length * 100 >= percent * all.length,
          ),
        );
        expect(found?.[`p${percent}`]).toBe(naive);
      }
    }),
  );
});

test('of speeds it is the largest that so many reach', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 2, max: 5000 }), { minLength: 1, maxLength: 200 }), (tokens) => {
      const group = new LatencyGroup();
      for (const completionTokens of tokens)
        group.add({ firstTokenMs: 100, totalMs: 1100, completionTokens });
      const { tokensPerSecond: found, requests } = group.stats();
      expect(requests).toBe(tokens.length);
      for (const percent of PERCENTS) {
        const naive = Math.max(
          ...tokens.filter(
            (speed) => tokens.filter((other) => other >= speed).length * 100 >= percent * tokens.length,
          ),
        );
        expect(found?.[`p${percent}`]).toBeCloseTo(naive - 1, 6);
      }
    }),
  );
});

test('by hand: of 20 values the 19th is the 95th percentile, and the last one the 99th', () => {
  const twenty = Array.from({ length: 20 }, (_, index) => 20 - index);
  expect(percentilesOf(twenty)).toEqual({ p50: 10, p95: 19, p99: 20 });
  expect(percentilesOf([7])).toEqual({ p50: 7, p95: 7, p99: 7 });
  expect(percentilesOf([])).toBeNull();
});

test('what was not measured is left out, and counted all the same', () => {
  const group = new LatencyGroup();
  group.add({ firstTokenMs: null, totalMs: 50, completionTokens: null });
  group.add({ firstTokenMs: 10, totalMs: 10, completionTokens: 1 });
  expect(group.stats()).toEqual({
    requests: 2,
    firstTokenMs: { p50: 10, p95: 10, p99: 10 },
    totalMs: { p50: 10, p95: 50, p99: 50 },
    tokensPerSecond: null,
  });
  expect(new LatencyGroup().stats()).toEqual({
    requests: 0,
    firstTokenMs: null,
    totalMs: null,
    tokensPerSecond: null,
  });
  expect(tokensPerSecond({ firstTokenMs: 500, totalMs: 1500, completionTokens: 31 })).toBe(30);
});
