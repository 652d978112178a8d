import { expect, it } from 'vitest';
import {
  formatAgo,
  formatContext,
  formatCount,
  formatCountdown,
  formatLatency,
  formatMemory,
  formatProgress,
  formatSpeed,
  plural,
} from './format.ts';

it.each([
  [formatCount(32_768), '32,768'],
  [formatContext(512), '512'],
  [formatContext(8192), '8k'],
  [formatContext(16_385), '16k'],
  [formatContext(131_072), '128k'],
  [formatContext(200_000), '200k'],
  [formatContext(1_047_576), '1M'],
  [formatContext(2_500_000), '2.5M'],
  [formatSpeed(null), '–'],
  [formatSpeed(4.23), '4.2 tok/s'],
  [formatSpeed(41.3), '41 tok/s'],
  [formatSpeed(1234), '1,234 tok/s'],
  [formatLatency(null), '–'],
  [formatLatency(4.21), '4.2 ms'],
  [formatLatency(46.4), '46 ms'],
  [formatLatency(1400), '1.4 s'],
  [formatMemory(null), '–'],
  [formatMemory(7 * 1024 ** 3), '7.0 GiB'],
  [formatProgress(0), '0 %'],
  [formatProgress(0.629), '62 %'],
  [plural(1, 'slot'), '1 slot'],
  [plural(0, 'slot'), '0 slots'],
  [plural(2, 'entry', 'entries'), '2 entries'],
])('writes %s as %s', (written, expected) => {
  expect(written).toBe(expected);
});

it('never says 100 % before it is done', () => {
  expect(formatProgress(0.9999)).toBe('99 %');
  expect(formatProgress(1)).toBe('99 %');
});

it.each([
  [372_000, '6 m 12 s'],
  [371_001, '6 m 12 s'],
  [60_000, '1 m'],
  [9_001, '10 s'],
  [1, '1 s'],
  [0, '0 s'],
  [-5_000, '0 s'],
])('counts %i ms down as %s', (leftMs, expected) => {
  expect(formatCountdown(1_000_000 + leftMs, 1_000_000)).toBe(expected);
});

it.each([
  [-3_000, 'now'],
  [999, 'now'],
  [9_999, '9 s'],
  [119_000, '1 m'],
  [7_300_000, '2 h'],
  [200_000_000, '2 d'],
])('says that %i ms ago is %s', (agoMs, expected) => {
  expect(formatAgo(1_000_000_000, 1_000_000_000 + agoMs)).toBe(expected);
});
