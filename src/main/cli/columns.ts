import { printable } from './printable.ts';

/**
 * A table under its headings, without a newline at its end.
 * @param numbersFrom columns from this one on stand to the right; without it, none
 */
export function columns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numbersFrom: number = head.length,
): string {
  const lines = [head, ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => lengthOf(line[column] ?? ''))));
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const space = ' '.repeat((widths[column] ?? 0) - lengthOf(cell));
          return column < numbersFrom ? cell + space : space + cell;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function lengthOf(text: string): number {
  return [...text].length;
}
