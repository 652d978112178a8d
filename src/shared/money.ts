/** Money is whole nano-dollars: a billionth of a dollar. Sums stay exact up to nine million dollars. */
export const NANOS_PER_DOLLAR = 1_000_000_000;

/**
 * Writes an amount as people read it: `$41.20`, `$0.10`, and below ten cents with up to four digits that count,
 * `$0.0031`. Rounded; never to be calculated with.
 */
export function formatDollars(nanoDollars: number): string {
  const sign = nanoDollars < 0 ? '−' : '';
  const dollars = Math.abs(nanoDollars) / NANOS_PER_DOLLAR;
  if (dollars === 0 || dollars >= 0.1) return `${sign}$${dollars.toFixed(2)}`;
  const digits = Math.min(9, 3 - Math.floor(Math.log10(dollars)));
  return `${sign}$${dollars.toFixed(digits).replace(/(\.\d\d\d*?)0+$/, '$1')}`;
}

/** The exact amount as a decimal number, for files: `0.000031`. */
export function dollarsText(nanoDollars: number): string {
  const sign = nanoDollars < 0 ? '-' : '';
  const digits = String(Math.abs(nanoDollars)).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return `${sign}${digits.slice(0, -9)}${fraction === '' ? '' : `.${fraction}`}`;
}
