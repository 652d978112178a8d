import type { MemoryLines } from './lines.ts';

/**
 * What measuring has taught about one model on one machine. What the arithmetic cannot know (the allocator's habits,
 * JavaScript's heap, tables of an architecture) does not depend on the context size, so one figure corrects every
 * setting of the model.
 */
export interface Correction {
  /** Measured minus predicted, of the recent loads. */
  readonly offsetBytes: number;
  /** Loads it was learned from. */
  readonly samples: number;
}

export interface MeasuredLoad {
  /** Uncorrected, for the settings and the use at which it was measured (`deepestTokens` of `predictLines`). */
  readonly predictedBytes: number;
  /** The high-water mark of that load. */
  readonly measuredBytes: number;
}

/** Loads over which the offset is averaged: one odd load does not spoil it, a real change is followed. */
const MEMORY_LOADS = 4;

/** @param previous `null` at the first load of a model */
export function learn(previous: Correction | null, load: MeasuredLoad): Correction {
  const offsetBytes = load.measuredBytes - load.predictedBytes;
  if (!previous) return { offsetBytes, samples: 1 };
  const samples = previous.samples + 1;
  const weight = 1 / Math.min(samples, MEMORY_LOADS);
  return { offsetBytes: previous.offsetBytes + weight * (offsetBytes - previous.offsetBytes), samples };
}

/** The prediction with what was learned. What differs is shown as overhead; a line is never below nothing. */
export function corrected(lines: MemoryLines, correction: Correction | null): MemoryLines {
  if (!correction) return lines;
  return { ...lines, overheadBytes: Math.max(0, lines.overheadBytes + correction.offsetBytes) };
}
