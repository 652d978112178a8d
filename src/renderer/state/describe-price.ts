import { formatDollars } from '../../shared/money.ts';
import type { PriceView } from '../../shared/provider-contract.ts';
import { PRICE_UNKNOWN } from './describe-request.ts';
import { UNKNOWN } from './format.ts';

/** For a million tokens; a price of nothing is said to be free. */
export function formatRate(nanoDollars: number | null): string {
  if (nanoDollars === null) return UNKNOWN;
  return nanoDollars === 0 ? 'free' : formatDollars(nanoDollars);
}

/** In a row: `$0.40 in, $1.60 out`. */
export function describePrice(price: PriceView | null): string {
  if (price === null) return PRICE_UNKNOWN;
  const { inputNanoDollars, outputNanoDollars } = price;
  const parts = [
    inputNanoDollars === null ? [] : [`${formatRate(inputNanoDollars)} in`],
    outputNanoDollars === null ? [] : [`${formatRate(outputNanoDollars)} out`],
  ].flat();
  return parts.length === 0 ? PRICE_UNKNOWN : parts.join(', ');
}
