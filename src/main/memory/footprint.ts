/** What one process holds of the machine's memory, as the system says. */
export interface Footprint {
  /** What only this process has written; it is back when the process ends. */
  readonly privateBytes: number;
  /** Of the model files that it maps, what is in memory. */
  readonly mappedBytes: number;
  /** What is held against the budget: both together. */
  readonly totalBytes: number;
}

/** `null` when one of them is not known. */
export function sumOrNull(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum;
}
