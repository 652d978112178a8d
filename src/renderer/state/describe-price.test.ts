import { expect, it } from 'vitest';
import type { PriceView } from '../../shared/provider-contract.ts';
import { describePrice } from './describe-price.ts';

const PRICE: PriceView = {
  inputNanoDollars: 400_000_000,
  outputNanoDollars: 1_600_000_000,
  cachedInputNanoDollars: null,
  cacheWriteNanoDollars: null,
  effectiveDate: '2025-04-14',
  source: 'a list',
};

it.each([
  [PRICE, '$0.40 in, $1.60 out'],
  [{ ...PRICE, outputNanoDollars: null }, '$0.40 in'],
  [{ ...PRICE, inputNanoDollars: 0, outputNanoDollars: 0 }, 'free in, free out'],
  [{ ...PRICE, inputNanoDollars: null, outputNanoDollars: null }, 'price not known'],
  [null, 'price not known'],
])('%j is said as %s', (price, words) => {
  expect(describePrice(price)).toBe(words);
});
