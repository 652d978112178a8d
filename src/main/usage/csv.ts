/*
 * Comma-separated values by RFC 4180, safe to open in a spreadsheet: text that a spreadsheet would take for a formula
 * gets an apostrophe in front. Text that begins with an apostrophe gets a second one, so that taking one off always
 * gives the text back.
 */

export type CsvValue = string | number | boolean | null;

const LOOKS_LIKE_A_FORMULA = /^[=+\-@\t\r']/;

/** One line, with its end. `null` is an empty field. */
export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(field).join(',')}\r\n`;
}

function field(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = LOOKS_LIKE_A_FORMULA.test(value) ? `'${value}` : value;
  // An empty text is not the absence of one.
  return safe === '' || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
