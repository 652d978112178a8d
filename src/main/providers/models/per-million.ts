/**
 * A price for one token as a price for a million, exactly: `0.000003` → `3`. OpenRouter and llama.cpp's relatives write
 * prices as decimal text, because as floating numbers they are not what was meant.
 * @returns `null` for what is no price: no number, below zero ("varies" is −1), or an exponent
 */
export function perMillion(perToken: string): string | null {
  const match = /^(\d{1,12})(?:\.(\d{1,30}))?$/.exec(perToken.trim());
  if (!match) return null;
  const [, whole = '', fraction = ''] = match;
  const digits = `${whole}${fraction.padEnd(6, '0')}`;
  const point = whole.length + 6;
  const integer = digits.slice(0, point).replace(/^0+(?=\d)/, '');
  const rest = digits.slice(point).replace(/0+$/, '');
  return rest === '' ? integer : `${integer}.${rest}`;
}
