import { formatBytes } from '../shared/units.ts';

/*
 * Models that can never be loaded because the budget is too small. A file's size is known at once, and a model takes at
 * least that; what it really needs is said when its header was read.
 */

export interface ModelSize {
  readonly id: string;
  readonly fileBytes: number | null;
}

/** In words for the user; `null` when nothing is known against it. */
export function tooLargeProblem(fileBytes: number | null, budgetBytes: number): string | null {
  if (fileBytes === null || fileBytes <= budgetBytes) return null;
  return `Its file alone is ${formatBytes(fileBytes)}, and the memory budget is ${formatBytes(budgetBytes)}. Raise memory.budget, or use a smaller quantization.`;
}

/** One sentence about all files that are larger than the budget; `null` when there are none. */
export function tooLargeFiles(models: readonly ModelSize[], budgetBytes: number): string | null {
  const files = models.flatMap(({ id, fileBytes }) => (fileBytes === null ? [] : [{ id, fileBytes }]));
  const tooLarge = files.filter(({ fileBytes }) => fileBytes > budgetBytes);
  const [first, ...others] = tooLarge.toSorted((a, b) => a.fileBytes - b.fileBytes);
  if (!first) return null;
  const named = `${first.id} (${formatBytes(first.fileBytes)})`;
  const budget = `the memory budget of ${formatBytes(budgetBytes)}`;
  if (tooLarge.length === files.length)
    return `No model fits ${budget}: the smallest file is that of ${named}. Raise memory.budget in models.yaml.`;
  const more = others.length === 0 ? 'is' : `and ${others.length} more are`;
  return `${named} ${more} larger than ${budget} by the file alone, and cannot be loaded. Raise memory.budget in models.yaml.`;
}
