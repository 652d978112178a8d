import type { EstimateView, MemoryLinesView, MemorySettingsView } from '../shared/contract.ts';
import type { EngineSettings } from './config/settings.ts';
import type { Estimate, Estimator } from './engine/estimator.ts';
import type { LoadedInfo } from './engine/protocol.ts';
import type { ModelHeader } from './engine/protocol-estimate.ts';
import type { EngineTraits } from './memory/backend.ts';
import { type Correction, corrected } from './memory/correction.ts';
import { contextLine, predictLines } from './memory/estimate.ts';
import { fitInto } from './memory/fit.ts';
import type { MemoryLearning } from './memory/learning.ts';
import { type MemoryLines, totalBytes } from './memory/lines.ts';

/** A prediction with what measuring this model on this machine has taught. */
export interface LearnedEstimate {
  readonly estimate: Estimate;
  readonly lines: MemoryLines;
  readonly learned: boolean;
}

interface Resident {
  readonly estimate: Estimate;
  readonly info: LoadedInfo;
}

/** What models take: estimated before they are loaded, measured after, and the one learned from the other. */
export class ModelMemory {
  readonly #estimator: Estimator;
  readonly #learning: MemoryLearning;
  readonly #traits: () => EngineTraits;
  readonly #estimates = new Map<string, Estimate>();
  readonly #residents = new Map<string, Resident>();
  readonly #lastLoadMs = new Map<string, number>();

  constructor(estimator: Estimator, learning: MemoryLearning, traits: () => EngineTraits) {
    this.#estimator = estimator;
    this.#learning = learning;
    this.#traits = traits;
  }

  /** What a file says of itself. @throws RoundhouseError `gguf_invalid` */
  header(path: string, signal: AbortSignal) {
    return this.#estimator.header(path, signal);
  }

  /** @throws RoundhouseError `gguf_invalid` */
  async estimate(path: string, settings: EngineSettings, signal: AbortSignal): Promise<LearnedEstimate> {
    const estimate = await this.#estimator.estimate(path, settings, signal);
    const correction = this.#learning.correctionOf(estimate.header.identity);
    return { estimate, lines: corrected(estimate.lines, correction), learned: correction !== null };
  }

  /** As `estimate`, for a registered model; remembered for when it is loaded. */
  async estimateModel(modelId: string, path: string, settings: EngineSettings, signal: AbortSignal) {
    const learned = await this.estimate(path, settings, signal);
    this.#estimates.set(modelId, learned.estimate);
    return learned;
  }

  /** The header that the model was last estimated by. */
  headerOf(modelId: string): ModelHeader | null {
    return this.#estimates.get(modelId)?.header ?? null;
  }

  loaded(modelId: string, settings: EngineSettings, info: LoadedInfo): void {
    this.#lastLoadMs.set(modelId, info.loadMs + info.contextMs);
    const estimate = this.#estimates.get(modelId);
    if (!estimate) return;
    this.#residents.set(modelId, { estimate, info });
    const { header, lines } = estimate;
    this.#learning.loaded(modelId, header.identity, (deepestTokens) =>
      header.plainAttention
        ? totalBytes(predictLines(header, settings, this.#traits(), { deepestTokens }))
        : totalBytes(lines),
    );
  }

  served(modelId: string, tokens: number): void {
    this.#learning.served(modelId, tokens);
  }

  /** @returns the corrected prediction, when this measurement has taught something */
  measured(modelId: string, bytes: number): MemoryLines | null {
    this.#learning.measured(modelId, bytes);
    const resident = this.#residents.get(modelId);
    const correction = resident ? this.#learning.correctionOf(resident.estimate.header.identity) : null;
    return resident && correction ? corrected(resident.estimate.lines, correction) : null;
  }

  gone(modelId: string): void {
    this.#residents.delete(modelId);
    this.#learning.gone(modelId);
  }

  lastLoadMs(modelId: string): number | null {
    return this.#lastLoadMs.get(modelId) ?? null;
  }

  /**
   * Tokens one slot holds: the engine's own figure while one has the model, else what a load would come to.
   * @param configured as models.yaml says; a model is never given more than it was trained for
   */
  contextSize(modelId: string, configured: number): number {
    const resident = this.#residents.get(modelId);
    if (resident) return resident.info.contextSize;
    const estimate = this.#estimates.get(modelId);
    return estimate ? trainedAtMost(configured, estimate.header) : configured;
  }

  predictedLines(modelId: string): MemoryLinesView | null {
    const estimate = this.#estimates.get(modelId);
    return estimate ? this.#corrected(estimate) : null;
  }

  /** The measured total in lines: llama.cpp says what its buffers are, the rest is the process. */
  measuredLines(modelId: string, measuredBytes: number | null): MemoryLinesView | null {
    const resident = this.#residents.get(modelId);
    if (!resident || measuredBytes === null) return null;
    const { info, estimate } = resident;
    const cacheBytes = Math.min(estimate.lines.cacheBytes, info.contextBytes);
    const said = {
      weightsBytes: info.weightsBytes,
      cacheBytes,
      buffersBytes: info.contextBytes - cacheBytes,
    };
    const saidBytes = said.weightsBytes + said.cacheBytes + said.buffersBytes;
    // Memory that was set aside and never touched is not held: then what is held is shared out in proportion.
    const share = Math.min(1, measuredBytes / saidBytes);
    return {
      weightsBytes: said.weightsBytes * share,
      cacheBytes: said.cacheBytes * share,
      buffersBytes: said.buffersBytes * share,
      overheadBytes: Math.max(0, measuredBytes - saidBytes),
    };
  }

  /** What the interface shows of a file before it is added: the prediction, lines for its sliders, what fits the budget. */
  view(
    learned: LearnedEstimate,
    settings: EngineSettings,
    budgetBytes: number,
  ): Pick<
    EstimateView,
    | 'fileBytes'
    | 'name'
    | 'architecture'
    | 'quantization'
    | 'parameters'
    | 'trainedContextSize'
    | 'settings'
    | 'predicted'
    | 'totalBytes'
    | 'lines'
    | 'learned'
    | 'fit'
  > {
    const { header } = learned.estimate;
    const correction = this.#learning.correctionOf(header.identity);
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
      lines: this.#contextLines(learned, settings, correction),
      learned: learned.learned,
      fit: this.#fit(learned, settings, budgetBytes, correction),
    };
  }

  #contextLines(
    { estimate }: LearnedEstimate,
    settings: EngineSettings,
    correction: Correction | null,
  ): EstimateView['lines'] {
    const offsetBytes = correction?.offsetBytes ?? 0;
    const lineOf = (cacheType: EngineSettings['cacheType']) => {
      const line = estimate.header.plainAttention
        ? contextLine(estimate.header, { ...settings, cacheType }, this.#traits())
        : estimate.line;
      return { ...line, baseBytes: line.baseBytes + offsetBytes };
    };
    return { f16: lineOf('f16'), q8_0: lineOf('q8_0'), q4_0: lineOf('q4_0') };
  }

  #fit(
    { estimate }: LearnedEstimate,
    settings: EngineSettings,
    budgetBytes: number,
    correction: Correction | null,
  ): EstimateView['fit'] {
    const fit = fitInto(budgetBytes, estimate.header, settings, this.#traits(), correction);
    if (!fit) return null;
    return {
      ...memorySettings({ ...settings, ...fit.settings }, estimate.header),
      totalBytes: totalBytes(fit.lines),
    };
  }

  #corrected(estimate: Estimate): MemoryLines {
    return corrected(estimate.lines, this.#learning.correctionOf(estimate.header.identity));
  }
}

/** What would hold: a model is never given more context than it was trained for. */
function memorySettings(settings: EngineSettings, header: ModelHeader): MemorySettingsView {
  const { parallel, batchSize, cacheType } = settings;
  return { contextSize: trainedAtMost(settings.contextSize, header), parallel, batchSize, cacheType };
}

function trainedAtMost(contextSize: number, header: ModelHeader): number {
  return Math.min(contextSize, header.trainedContextSize ?? contextSize);
}
