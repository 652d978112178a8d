import { formatBytes } from '../shared/units.ts';

/*
 * Models that can never be loaded because the budget is too small. A file's size is known at once, and a model takes at
 * least that; what it really needs is known when it was estimated.
 */

export interface ModelSize {
  readonly id: string;
  readonly fileBytes: number | null;
  /** What would be reserved for it; `null` before it was estimated. */
  readonly neededBytes: number | null;
}

/** In words for the user; `null` when nothing is known against it. */
export function tooLargeProblem(model: ModelSize, budgetBytes: number): string | null {
  const { fileBytes, neededBytes } = model;
  const budget = `the memory budget is ${formatBytes(budgetBytes)}`;
  if (fileBytes !== null && fileBytes > budgetBytes)
    return `Its file alone is ${formatBytes(fileBytes)}, and ${budget}. Raise memory.budget, or use a smaller quantization.`;
  if (neededBytes !== null && neededBytes > budgetBytes)
    return `It needs ${formatBytes(neededBytes)}, and ${budget}. Give it a smaller contextSize or fewer parallel slots, or raise memory.budget.`;
  return null;
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
