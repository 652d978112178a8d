import type { EngineSettings } from '../config/settings.ts';
import type { LoadSettings, ModelHeader } from '../engine/protocol-estimate.ts';
import type { EngineTraits } from './backend.ts';
import { type Correction, corrected } from './correction.ts';
import { CONTEXT_STEP, effectiveContextSize, predictLines } from './estimate.ts';
import { type MemoryLines, totalBytes } from './lines.ts';

export interface Fit {
  readonly settings: LoadSettings;
  readonly lines: MemoryLines;
  /** What had to be made smaller than asked, for the explanation. Empty when all fits as it is. */
  readonly changed: readonly ('contextSize' | 'batchSize' | 'cacheType')[];
}

/** A chat needs about this much context; below it rather the batch or the cache is made smaller. */
const LEAST_CONTEXT = 2048;
const LEAST_BATCH = 64;
const CACHE_TYPES = ['f16', 'q8_0', 'q4_0'] as const satisfies readonly EngineSettings['cacheType'][];

/**
 * The settings nearest to `asked` with which the model takes at most `bytes`: first a smaller context (down to 2,048
 * tokens, or what was asked), then a smaller batch, then a lighter cache; and only where all of that does not help, the
 * context below 2,048 in the same order. `null` when nothing does.
 */
export function fitInto(
  bytes: number,
  header: ModelHeader,
  asked: LoadSettings,
  engine: EngineTraits,
  correction: Correction | null = null,
): Fit | null {
  const predict = (settings: LoadSettings) => corrected(predictLines(header, settings, engine), correction);
  const most = effectiveContextSize(header, asked.contextSize);
  const cacheTypes = CACHE_TYPES.slice(CACHE_TYPES.indexOf(asked.cacheType));
  for (const { least, cacheType, batchSize } of inOrder(most, cacheTypes, batchSizes(asked.batchSize))) {
    const contextSize = largest(least, most, (size) => {
      return totalBytes(predict({ ...asked, cacheType, batchSize, contextSize: size })) <= bytes;
    });
    if (contextSize === null) continue;
    // As asked where nothing was cut: the asked size may lie between two steps.
    const settings = {
      ...asked,
      cacheType,
      batchSize,
      contextSize: contextSize === most ? asked.contextSize : contextSize,
    };
    const changed = (['contextSize', 'batchSize', 'cacheType'] as const).filter(
      (name) => settings[name] !== asked[name],
    );
    return { settings, lines: predict(settings), changed };
  }
  return null;
}

function* inOrder(
  most: number,
  cacheTypes: readonly LoadSettings['cacheType'][],
  batchSizes: readonly number[],
) {
  for (const least of [Math.min(most, LEAST_CONTEXT), Math.min(most, CONTEXT_STEP)]) {
    for (const cacheType of cacheTypes) {
      for (const batchSize of batchSizes) yield { least, cacheType, batchSize };
    }
  }
}

/** As asked, then by halves. */
function batchSizes(asked: number): number[] {
  const sizes = [asked];
  for (let size = Math.floor(asked / 2); size >= LEAST_BATCH; size = Math.floor(size / 2)) sizes.push(size);
  return sizes;
}

/** The largest size in context steps from `least` to `most` that fits; memory grows with the context. */
function largest(least: number, most: number, fits: (size: number) => boolean): number | null {
  if (!fits(least)) return null;
  let [low, high] = [least / CONTEXT_STEP, most / CONTEXT_STEP];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle * CONTEXT_STEP)) low = middle;
    else high = middle - 1;
  }
  return low * CONTEXT_STEP;
}
