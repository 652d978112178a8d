import type { MemorySettingsView } from '../../shared/contract.ts';
import { CACHE_TYPES, MODEL_LIMITS } from '../../shared/model-limits.ts';

/** The options that set how much memory a model takes. */
export const MEMORY_OPTIONS = {
  context: { type: 'string' },
  parallel: { type: 'string' },
  batch: { type: 'string' },
  'cache-type': { type: 'string' },
} as const;

const SIZES = [
  ['context', 'contextSize'],
  ['parallel', 'parallel'],
  ['batch', 'batchSize'],
] as const;

/**
 * What the options say, and nothing for those that are not there.
 * @param text the value of an option; `null` when it is not there
 * @returns or, as a string, what is wrong with one of them
 */
export function readMemoryOptions(
  text: (option: keyof typeof MEMORY_OPTIONS) => string | null,
): Partial<MemorySettingsView> | string {
  const sizes: { -readonly [Key in (typeof SIZES)[number][1]]?: number } = {};
  for (const [option, key] of SIZES) {
    const given = text(option);
    if (given === null) continue;
    const { min, max, example } = MODEL_LIMITS[key];
    const size = /^\d+$/.test(given) ? Number(given) : Number.NaN;
    if (!(size >= min && size <= max)) {
      return `--${option}: "${given}" is not a whole number from ${min} to ${max}; write one such as ${example}`;
    }
    sizes[key] = size;
  }
  const given = text('cache-type');
  if (given === null) return sizes;
  const cacheType = CACHE_TYPES.find((type) => type === given);
  if (cacheType === undefined) return `--cache-type: "${given}" is not one of ${CACHE_TYPES.join(', ')}`;
  return { ...sizes, cacheType };
}
