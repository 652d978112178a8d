import type { EstimateView, MemoryLinesView, MemorySettingsView, PlanView } from '../../shared/contract.ts';

/*
 * What a file would take while its settings are being moved: between two answers of the app, from the straight lines
 * that each answer carries.
 */

const SMALLEST_CONTEXT = 512;
/** Where a file does not say for how much it was trained. */
const LARGEST_CONTEXT = 131_072;

/** Context sizes that the slider stops at: powers of two and the middle between two of them, up to what was trained. */
export function contextSteps(trainedContextSize: number | null): readonly number[] {
  const largest = trainedContextSize ?? LARGEST_CONTEXT;
  const steps: number[] = [];
  for (let size = SMALLEST_CONTEXT; size < largest; size *= 2) {
    steps.push(size);
    if (size >= 2048 && size * 1.5 < largest) steps.push(size * 1.5);
  }
  return [...steps, largest];
}

/** Place of the largest step that is not above `contextSize`; the first one where all are. */
export function stepOf(steps: readonly number[], contextSize: number): number {
  return Math.max(
    0,
    steps.findLastIndex((step) => step <= contextSize),
  );
}

/** Reserved beyond a prediction until the model was measured on this machine. */
const UNMEASURED = 1.1;

export interface LiveEstimate {
  readonly lines: MemoryLinesView;
  readonly totalBytes: number;
  /** What would be reserved: more than the total until the model was measured here. */
  readonly neededBytes: number;
}

/**
 * What `settings` would take. Exact for the settings of the answer; another context size or cache type is worked out
 * from its lines, all of the difference being cache; another number of slots or batch size has to be asked.
 */
export function liveEstimate(estimate: EstimateView, settings: MemorySettingsView): LiveEstimate {
  const line = estimate.lines[settings.cacheType];
  const same =
    settings.contextSize === estimate.settings.contextSize &&
    settings.cacheType === estimate.settings.cacheType;
  const totalBytes = same
    ? estimate.totalBytes
    : line.baseBytes + line.bytesPerContextToken * settings.contextSize;
  const { predicted, plan } = estimate;
  const cacheBytes = predicted.cacheBytes + totalBytes - estimate.totalBytes;
  const lines: MemoryLinesView = {
    ...predicted,
    cacheBytes: Math.max(0, cacheBytes),
    buffersBytes: Math.max(0, predicted.buffersBytes + Math.min(0, cacheBytes)),
  };
  // As the app reserved for its own settings; a plan for what is loaded already needs nothing and says nothing.
  const known = plan.neededBytes > 0 && estimate.totalBytes > 0;
  const reserved = known ? plan.neededBytes / estimate.totalBytes : estimate.learned ? 1 : UNMEASURED;
  return { lines, totalBytes, neededBytes: totalBytes * reserved };
}

/** Whether it goes in; `checking` where only the app can say it and has not yet. */
export type Verdict = PlanView['outcome'] | 'checking';

/** Said at once where the numbers alone decide it; else as in the answer, when it is one for these settings. */
export function judge(estimate: EstimateView, settings: MemorySettingsView): Verdict {
  const { plan } = estimate;
  if (sameSettings(estimate.settings, settings)) return plan.outcome;
  if (needsAsking(estimate.settings, settings)) return 'checking';
  const { neededBytes } = liveEstimate(estimate, settings);
  if (neededBytes > plan.budgetBytes) return 'never';
  if (neededBytes <= plan.freeBytes) return 'fits';
  return 'checking';
}

/**
 * The largest step with which it would go in without anything being unloaded, with the other settings as they are;
 * `null` where none does, or where the answer is for other settings.
 */
export function largestBeside(
  estimate: EstimateView,
  settings: MemorySettingsView,
  steps: readonly number[],
): number | null {
  if (needsAsking(estimate.settings, settings)) return null;
  const fits = (contextSize: number) =>
    liveEstimate(estimate, { ...settings, contextSize }).neededBytes <= estimate.plan.freeBytes;
  return steps.findLast(fits) ?? null;
}

export function sameSettings(a: MemorySettingsView, b: MemorySettingsView): boolean {
  return a.contextSize === b.contextSize && a.cacheType === b.cacheType && !needsAsking(a, b);
}

/** Whether the lines of an answer for `answered` say nothing about `wanted`. */
function needsAsking(answered: MemorySettingsView, wanted: MemorySettingsView): boolean {
  return answered.parallel !== wanted.parallel || answered.batchSize !== wanted.batchSize;
}
