import fc from 'fast-check';
import { expect, test } from 'vitest';
import { perMillion } from './per-million.ts';

test.each([
  ['0.000003', '3'],
  ['0.00000015', '0.15'],
  ['0.000000075', '0.075'],
  ['0', '0'],
  ['1', '1000000'],
  ['0.0000000001', '0.0001'],
  ['-1', null],
  ['1e-6', null],
  ['', null],
  ['free', null],
])('%s for a token is %s for a million', (perToken, expected) => {
  expect(perMillion(perToken)).toBe(expected);
});

test('nothing is rounded', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 18n), (units) => {
      // `units` is the price in 10^-18 of a dollar.
      const digits = units.toString().padStart(19, '0');
      const price = perMillion(`${digits.slice(0, -18)}.${digits.slice(-18)}`) ?? '';
      const [whole = '', fraction = ''] = price.split('.');
      expect(BigInt(whole + fraction.padEnd(12, '0'))).toBe(units);
    }),
  );
});
