import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const nowMs = Date.UTC(2026, 10, 21, 12);

test.each([
  [{ 'retry-after': '20' }, 20_000],
  [{ 'retry-after': ' 1.5 ' }, 1500],
  [{ 'retry-after-ms': '250', 'retry-after': '1' }, 250],
  [{ 'retry-after': 'Sat, 21 Nov 2026 12:00:07 GMT' }, 7000],
  [{ 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, null],
  [{ 'retry-after': '-5 apples' }, null],
  [{ 'retry-after-ms': 'soon', 'retry-after': '3' }, 3000],
  [{}, null],
  [{ 'retry-after': '1e99' }, null],
  [{ 'retry-after': '99999999' }, 86_400_000],
])('%j → %s', (headers, expected) => {
  expect(retryAfterMs(headers as Record<string, string>, nowMs)).toBe(expected);
});

test('whatever a provider writes, it is a wait that a timer can be set to, or none', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (seconds, milliseconds) => {
      const waitMs = retryAfterMs({ 'retry-after': seconds, 'retry-after-ms': milliseconds }, nowMs);
      expect(waitMs === null || (Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= 86_400_000)).toBe(true);
    }),
  );
});
