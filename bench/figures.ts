/** The value below which `share` of the values lie, by the nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Prints rows under their headings, numbers to the right. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const table = [headings, ...rows.map((row) => row.map(String))];
  const widths = headings.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table) {
    console.log(
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    );
  }
}

/** Prints a bound and whether it held; a bound that did not hold makes the run fail. */
export function checkBound(
  name: string,
  value: number,
  bound: number,
  direction: 'at most' | 'at least',
): void {
  const held = direction === 'at most' ? value <= bound : value >= bound;
  console.log(`${held ? 'ok  ' : 'MISS'} ${name}: ${value.toFixed(2)} (${direction} ${bound})`);
  if (!held) process.exitCode = 1;
}
