import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PressureLevel } from '../../shared/contract.ts';
import { CALM, levelOfAvailable, levelOfStalls, steadied } from './pressure.ts';

const LEVELS = ['normal', 'warn', 'critical'] as const;
const rank = (level: PressureLevel) => LEVELS.indexOf(level);

interface Reading {
  readonly level: PressureLevel;
  /** Since the one before. */
  readonly afterMs: number;
}

/** Mostly as the app reads: every two seconds, sometimes sooner, sometimes after a sleep. */
const readings = fc.array(
  fc.record({
    level: fc.constantFrom(...LEVELS),
    afterMs: fc.constantFrom(100, 2000, 2000, 2000, 2000, 4000, 86_400_000),
  }),
  { maxLength: 200 },
);

/** What each reading came to. */
function steady(row: readonly Reading[]): { level: PressureLevel; atMs: number }[] {
  let state = CALM;
  let atMs = 0;
  return row.map(({ level, afterMs }) => {
    atMs += afterMs;
    state = steadied(state, level, atMs);
    return { level: state.level, atMs };
  });
}

describe('the pressure that readings come to', () => {
  it('does not flap: it falls half a minute after it last rose, or later', () => {
    fc.assert(
      fc.property(readings, (row) => {
        let before = 0;
        let roseMs = Number.NEGATIVE_INFINITY;
        for (const { level, atMs } of steady(row)) {
          if (rank(level) > before) roseMs = atMs;
          if (rank(level) < before) expect(atMs - roseMs).toBeGreaterThanOrEqual(30_000);
          before = rank(level);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('rises only to what two readings in a row have said', () => {
    fc.assert(
      fc.property(readings, (row) => {
        let said = 0;
        for (const [index, { level }] of steady(row).entries()) {
          const now = rank(row[index]?.level ?? 'normal');
          const last = rank(row[index - 1]?.level ?? 'normal');
          said = Math.max(said, Math.min(now, last));
          expect(rank(level)).toBeLessThanOrEqual(said);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('comes to what all readings of half a minute say', () => {
    fc.assert(
      fc.property(readings, fc.constantFrom(...LEVELS), (row, level) => {
        const long = Array.from({ length: 17 }, () => ({ level, afterMs: 2000 }));
        expect(steady([...row, ...long]).at(-1)?.level).toBe(level);
      }),
      { numRuns: 300 },
    );
  });

  it('is not changed by the first reading after a sleep', () => {
    fc.assert(
      fc.property(readings, fc.constantFrom(...LEVELS), (row, level) => {
        const slept = steady([...row, { level, afterMs: 86_400_000 }]);
        expect(slept.at(-1)?.level).toBe(slept.at(-2)?.level ?? 'normal');
      }),
      { numRuns: 300 },
    );
  });
});

describe('a single reading', () => {
  it('of stalls counts a tenth of the time', () => {
    expect(levelOfStalls({ somePercent: 9.9, fullPercent: 9.9 })).toBe('normal');
    expect(levelOfStalls({ somePercent: 10, fullPercent: 3 })).toBe('warn');
    expect(levelOfStalls({ somePercent: 40, fullPercent: 10 })).toBe('critical');
  });

  it('of what is available counts shares of all memory', () => {
    expect([100, 99, 50, 49].map((bytes) => levelOfAvailable(bytes, 1000))).toEqual([
      'normal',
      'warn',
      'warn',
      'critical',
    ]);
  });
});
