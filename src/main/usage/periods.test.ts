import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { daysOf, dayText, momentText, type PeriodKind, periodAt } from './periods.ts';

const HOUR_MS = 3600e3;
const KINDS: readonly PeriodKind[] = ['day', 'week', 'month'];
/** Ordinary ones, changes at midnight, in both directions, by half an hour, and a day that never was (Apia). */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Havana',
  'America/Asuncion',
  'Australia/Lord_Howe',
  'Asia/Tehran',
  'Africa/Cairo',
  'Pacific/Apia',
];
const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const moment = fc.integer({ min: Date.UTC(2010, 0, 1), max: Date.UTC(2034, 0, 1) });

describe.each(ZONES)('in %s', (timeZone) => {
  test('periods hold their moments, follow each other without a gap, and begin a local day', () => {
    process.env.TZ = timeZone;
    expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(timeZone);
    fc.assert(
      fc.property(moment, fc.constantFrom(...KINDS), (atMs, kind) => {
        const period = periodAt(atMs, kind);
        expect(period.startMs).toBeLessThanOrEqual(atMs);
        expect(period.endMs).toBeGreaterThan(atMs);
        expect(periodAt(period.startMs, kind)).toEqual(period);
        expect(periodAt(period.endMs - 1, kind)).toEqual(period);
        expect(periodAt(period.endMs, kind).startMs).toBe(period.endMs);
        expect(periodAt(period.startMs - 1, kind).endMs).toBe(period.startMs);
        expect(dayText(period.startMs - 1)).not.toBe(dayText(period.startMs));
        const start = new Date(period.startMs);
        if (kind === 'week') expect(start.getDay()).toBe(1);
        if (kind === 'month') expect(start.getDate()).toBe(1);
      }),
      { numRuns: 500 },
    );
  });

  test('every moment of a day has its date, and no other', () => {
    process.env.TZ = timeZone;
    fc.assert(
      fc.property(moment, fc.double({ min: 0, max: 1, noNaN: true }), (atMs, share) => {
        const day = periodAt(atMs, 'day');
        const other = Math.min(day.endMs - 1, Math.floor(day.startMs + share * (day.endMs - day.startMs)));
        expect(dayText(other)).toBe(dayText(atMs));
        expect(dayText(day.endMs)).not.toBe(dayText(atMs));
      }),
      { numRuns: 500 },
    );
  });

  test('days cover a stretch of time once', () => {
    process.env.TZ = timeZone;
    fc.assert(
      fc.property(moment, fc.integer({ min: 0, max: 60 * 24 * HOUR_MS }), (fromMs, lengthMs) => {
        const days = daysOf(fromMs, fromMs + lengthMs);
        let nextMs = fromMs;
        for (const { day, startMs, endMs } of days) {
          expect(startMs).toBe(nextMs);
          expect(endMs).toBeGreaterThan(startMs);
          expect(day).toBe(dayText(startMs));
          nextMs = endMs;
        }
        expect(nextMs).toBe(fromMs + lengthMs);
        expect(new Set(days.map(({ day }) => day)).size).toBe(days.length);
      }),
      { numRuns: 200 },
    );
  });
});

test('days are as long as the clock makes them', () => {
  process.env.TZ = 'Europe/Berlin';
  const lengthOf = (...date: [number, number, number]) => {
    const { startMs, endMs } = periodAt(new Date(...date).getTime() + HOUR_MS, 'day');
    return (endMs - startMs) / HOUR_MS;
  };
  expect(lengthOf(2026, 2, 29)).toBe(23);
  expect(lengthOf(2026, 9, 25)).toBe(25);
  expect(lengthOf(2026, 6, 1)).toBe(24);
  process.env.TZ = 'America/Sao_Paulo';
  // Clocks went from 00:00 to 01:00.
  expect(momentText(periodAt(Date.UTC(2018, 10, 4, 12), 'day').startMs)).toBe('2018-11-04 01:00');
});
