import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dollarsText, formatDollars } from './money.ts';

test.each([
  [0, '$0.00'],
  [1, '$0.000000001'],
  [3_100_000, '$0.0031'],
  [12_340_000, '$0.01234'],
  [10_000_000, '$0.01'],
  [99_999_999, '$0.10'],
  [100_000_000, '$0.10'],
  [4_104_000_000, '$4.10'],
  [-4_104_000_000, '−$4.10'],
  [-1_000_000, '−$0.001'],
  [1_234_567_890_000, '$1234.57'],
])('%i nano-dollars are %s', (nanoDollars, text) => {
  expect(formatDollars(nanoDollars)).toBe(text);
});

test('what is written for people is right to a thousandth of it, or to half a cent', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 15 }), (nanoDollars) => {
      const read = Number(formatDollars(nanoDollars).slice(1)) * 1e9;
      expect(Math.abs(read - nanoDollars)).toBeLessThanOrEqual(Math.max(5_000_001, 0));
      if (nanoDollars < 1e8) expect(Math.abs(read - nanoDollars)).toBeLessThanOrEqual(1 + nanoDollars / 1000);
    }),
  );
});

test('what is written into files is exact', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (nanoDollars) => {
      const text = dollarsText(nanoDollars);
      expect(text).toMatch(/^-?\d+(\.\d{0,8}[1-9])?$/);
      const [whole = '', fraction = ''] = text.replace('-', '').split('.');
      const read = BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
      expect(text.startsWith('-') ? -read : read).toBe(BigInt(nanoDollars));
    }),
  );
  expect(dollarsText(31_000)).toBe('0.000031');
});
