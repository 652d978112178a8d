/** What one process holds of the machine's memory, as the system says. */
export interface Footprint {
  /** What only this process has written; it is back when the process ends. */
  readonly privateBytes: number;
  /** Of the model files that it maps, what is in memory. */
  readonly mappedBytes: number;
  /** What is held against the budget: both together. */
  readonly totalBytes: number;
}
