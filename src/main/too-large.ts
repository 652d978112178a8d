import { formatBytes } from '../shared/units.ts';

/*
 * Models that can never be loaded because the budget is too small. A file's size is known at once, and a model takes about
 * as much; what it really needs is known when its header was read.
 */

export interface ModelSize {
  readonly id: string;
  /** What would be reserved for it; before that is known, its file. */
  readonly bytes: number;
}

/** In words for the user; `null` when the budget is large enough. */
export function tooLargeFile(fileBytes: number, budgetBytes: number): string | null {
  if (fileBytes <= budgetBytes) return null;
  return (
    `the file alone is ${formatBytes(fileBytes)}, and the memory budget is ${formatBytes(budgetBytes)}; ` +
    'raise memory.budget, or take a smaller file'
  );
}

/** One sentence about all models that are larger than the budget; `null` when none is. */
export function tooLargeModels(models: readonly ModelSize[], budgetBytes: number): string | null {
  const tooLarge = models.filter(({ bytes }) => bytes > budgetBytes).toSorted((a, b) => a.bytes - b.bytes);
  const [first, ...others] = tooLarge;
  if (!first) return null;
  const named = `${first.id} (${formatBytes(first.bytes)})`;
  const budget = `the memory budget of ${formatBytes(budgetBytes)}`;
  if (tooLarge.length === models.length)
    return `No model fits ${budget}: the smallest is ${named}. Raise memory.budget in models.yaml.`;
  const more = others.length === 0 ? 'is' : `and ${others.length} more are`;
  return `${named} ${more} larger than ${budget}, and cannot be loaded. Raise memory.budget in models.yaml.`;
}
