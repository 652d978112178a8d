import type { EstimateView, MemorySettingsView } from '../shared/contract.ts';
import type { EngineSettings } from './config/settings.ts';
import type { Estimate } from './engine/estimator.ts';
import type { ModelHeader } from './engine/protocol-estimate.ts';
import type { EngineTraits } from './memory/backend.ts';
import type { Correction } from './memory/correction.ts';
import { contextLine } from './memory/estimate.ts';
import { fitInto } from './memory/fit.ts';
import { type MemoryLines, totalBytes } from './memory/lines.ts';
import { largestPrediction, reservedBytes } from './scheduler/model-entry.ts';
import type { LighterSettings } from './scheduler/ports.ts';

/** A prediction with what measuring this model on this machine has taught. */
export interface LearnedEstimate {
  readonly estimate: Estimate;
  readonly lines: MemoryLines;
  /** `null` until the model was measured. */
  readonly correction: Correction | null;
}

/** What is reserved for a model that is expected to take this. */
export function bytesToReserve({ lines, correction }: LearnedEstimate): number {
  return reservedBytes(totalBytes(lines), correction !== null);
}

/** What the interface shows of a file before it is added: the prediction, lines for its sliders, what fits the budget. */
export function estimateView(
  learned: LearnedEstimate,
  settings: EngineSettings,
  traits: EngineTraits,
  budgetBytes: number,
): Omit<EstimateView, 'path' | 'suggestedId' | 'registeredAs' | 'plan'> {
  const { header } = learned.estimate;
  const fit = fitOf(learned, settings, traits, budgetBytes);
  return {
    fileBytes: header.fileBytes,
    name: header.name,
    architecture: header.architecture,
    quantization: header.quantization,
    parameters: header.parameters,
    trainedContextSize: header.trainedContextSize,
    settings: memorySettings(settings, header),
    predicted: learned.lines,
    totalBytes: totalBytes(learned.lines),
    lines: contextLines(learned, settings, traits),
    learned: learned.correction !== null,
    fit: fit && {
      ...memorySettings({ ...settings, ...fit.settings }, header),
      totalBytes: totalBytes(fit.lines),
    },
  };
}

/** What has to change of a registered model's settings to make it fit; `null` when nothing does, or it fits as it is. */
export function lighterSettings(
  learned: LearnedEstimate,
  settings: EngineSettings,
  traits: EngineTraits,
  budgetBytes: number,
): LighterSettings | null {
  if (bytesToReserve(learned) <= budgetBytes) return null;
  const fit = fitOf(learned, settings, traits, budgetBytes);
  if (!fit || fit.changed.length === 0) return null;
  const changes = fit.changed.map((name) => [name, fit.settings[name]]);
  return { ...Object.fromEntries(changes), bytes: bytesToReserve({ ...learned, lines: fit.lines }) };
}

/** A model is never given more context than it was trained for. */
export function trainedAtMost(contextSize: number, header: ModelHeader): number {
  return Math.min(contextSize, header.trainedContextSize ?? contextSize);
}

/** Room for what is reserved beyond the prediction is left: what is said to fit is not refused. */
function fitOf(
  { estimate, correction }: LearnedEstimate,
  settings: EngineSettings,
  traits: EngineTraits,
  budgetBytes: number,
) {
  const bytes = largestPrediction(budgetBytes, correction !== null);
  return fitInto(bytes, estimate.header, settings, traits, correction);
}

function contextLines(
  { estimate, correction }: LearnedEstimate,
  settings: EngineSettings,
  traits: EngineTraits,
): EstimateView['lines'] {
  const offsetBytes = correction?.offsetBytes ?? 0;
  const lineOf = (cacheType: EngineSettings['cacheType']) => {
    const line = estimate.header.plainAttention
      ? contextLine(estimate.header, { ...settings, cacheType }, traits)
      : estimate.line;
    return { ...line, baseBytes: line.baseBytes + offsetBytes };
  };
  return { f16: lineOf('f16'), q8_0: lineOf('q8_0'), q4_0: lineOf('q4_0') };
}

/** What would hold. */
function memorySettings(settings: EngineSettings, header: ModelHeader): MemorySettingsView {
  const { parallel, batchSize, cacheType } = settings;
  return { contextSize: trainedAtMost(settings.contextSize, header), parallel, batchSize, cacheType };
}
