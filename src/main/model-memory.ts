import type { MemoryLinesView } from '../shared/contract.ts';
import { RoundhouseError } from '../shared/errors.ts';
import type { EngineSettings, LocalModelSettings } from './config/settings.ts';
import type { Estimate, Estimator } from './engine/estimator.ts';
import type { LoadedInfo } from './engine/protocol.ts';
import type { ModelHeader } from './engine/protocol-estimate.ts';
import { bytesToReserve, type LearnedEstimate, lighterSettings, trainedAtMost } from './estimate-view.ts';
import type { EngineTraits } from './memory/backend.ts';
import { corrected } from './memory/correction.ts';
import { predictLines } from './memory/estimate.ts';
import type { MemoryLearning } from './memory/learning.ts';
import { type MemoryLines, measuredLines, totalBytes } from './memory/lines.ts';
import { Outlooks } from './outlooks.ts';
import { refusal } from './scheduler/explain.ts';
import type { LighterSettings } from './scheduler/ports.ts';

interface Resident {
  readonly estimate: Estimate;
  readonly info: LoadedInfo;
  readonly slots: number;
}

/** What models take: estimated before they are loaded, measured after, and the one learned from the other. */
export class ModelMemory {
  readonly #estimator: Estimator;
  readonly #learning: MemoryLearning;
  readonly #traits: () => EngineTraits;
  readonly #onFileChanged: (modelId: string, text: string) => void;
  /** Of the last load of each. */
  readonly #estimates = new Map<string, Estimate>();
  readonly #outlooks = new Outlooks();
  readonly #residents = new Map<string, Resident>();
  readonly #lastLoadMs = new Map<string, number>();

  /** @param onFileChanged told in a sentence, with the numbers, when a model's file is not the one it was */
  constructor(
    estimator: Estimator,
    learning: MemoryLearning,
    traits: () => EngineTraits,
    onFileChanged: (modelId: string, text: string) => void,
  ) {
    this.#estimator = estimator;
    this.#learning = learning;
    this.#traits = traits;
    this.#onFileChanged = onFileChanged;
  }

  /** What a file says of itself. @throws RoundhouseError `gguf_invalid` */
  header(path: string, signal: AbortSignal) {
    return this.#estimator.header(path, signal);
  }

  /** @throws RoundhouseError `gguf_invalid` */
  async estimate(path: string, settings: EngineSettings, signal: AbortSignal): Promise<LearnedEstimate> {
    return this.#learned(await this.#estimator.estimate(path, settings, signal));
  }

  /** As `estimate`, for a registered model that is to be loaded; remembered for when it is. */
  async estimateModel(model: LocalModelSettings, signal: AbortSignal): Promise<LearnedEstimate> {
    const learned = await this.#estimateModel(model, signal, false);
    this.#estimates.set(model.id, learned.estimate);
    return learned;
  }

  /** Works out what a registered model would take, in the background, to be shown. @throws RoundhouseError `gguf_invalid` */
  async lookAt(model: LocalModelSettings, signal: AbortSignal): Promise<void> {
    await this.#estimateModel(model, signal, true);
  }

  async #estimateModel(
    { id, source, engine }: LocalModelSettings,
    signal: AbortSignal,
    background: boolean,
  ): Promise<LearnedEstimate> {
    try {
      const estimate = await this.#estimator.estimate(source.path, engine, signal, background);
      const learned = this.#learned(estimate);
      const change = this.#outlooks.estimated(id, source.path, learned);
      if (change !== null) this.#onFileChanged(id, change);
      return learned;
    } catch (error) {
      if (error instanceof RoundhouseError && error.code === 'gguf_invalid')
        this.#outlooks.failed(id, error.message);
      throw error;
    }
  }

  /** Forgets what is known of all models but these. */
  keepOnly(modelIds: ReadonlySet<string>): void {
    this.#outlooks.keepOnly(modelIds);
  }

  /** What would have to change to make it fit; `null` when it fits, or nothing would make it. */
  lighter(learned: LearnedEstimate, settings: EngineSettings, budgetBytes: number): LighterSettings | null {
    return lighterSettings(learned, settings, this.#traits(), budgetBytes);
  }

  /** What would be reserved for a model, by the last estimate of it; `null` before the first. */
  neededBytes(modelId: string): number | null {
    const outlook = this.#outlooks.of(modelId);
    return outlook && bytesToReserve(outlook.learned);
  }

  /** Why the file of a model cannot be used, as far as that is known. */
  problemOf(modelId: string): string | null {
    return this.#outlooks.problemOf(modelId);
  }

  /** Why the budget can never hold a model, with what would make it fit; `null` when it can, or nothing is known. */
  tooLarge({ id, engine }: LocalModelSettings, budgetBytes: number): string | null {
    const outlook = this.#outlooks.of(id);
    if (!outlook) return null;
    // Asked for at every look at all models, while working out what would fit takes a while.
    if (outlook.judged?.budgetBytes !== budgetBytes) {
      const { learned } = outlook;
      const bytes = bytesToReserve(learned);
      const view = { id, slots: engine.parallel, lighter: this.lighter(learned, engine, budgetBytes) };
      const tooLarge = bytes > budgetBytes ? refusal.tooLarge(view, bytes, budgetBytes).message : null;
      outlook.judged = { budgetBytes, tooLarge };
    }
    return outlook.judged.tooLarge;
  }

  /** The header that the model was last estimated by for a load. */
  headerOf(modelId: string): ModelHeader | null {
    return this.#estimates.get(modelId)?.header ?? null;
  }

  loaded(modelId: string, settings: EngineSettings, info: LoadedInfo): void {
    this.#lastLoadMs.set(modelId, info.loadMs + info.contextMs);
    const estimate = this.#estimates.get(modelId);
    if (!estimate) return;
    this.#residents.set(modelId, { estimate, info, slots: settings.parallel });
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
    const header = this.#outlooks.of(modelId)?.learned.estimate.header;
    return header ? trainedAtMost(configured, header) : configured;
  }

  /** What each token in a slot takes of the cache; `null` while the model is not resident. */
  cacheBytesPerToken(modelId: string): number | null {
    const resident = this.#residents.get(modelId);
    if (!resident) return null;
    const { info, estimate, slots } = resident;
    return Math.min(estimate.lines.cacheBytes, info.contextBytes) / (slots * info.contextSize);
  }

  predictedLines(modelId: string): MemoryLinesView | null {
    const estimate = this.#residents.get(modelId)?.estimate ?? this.#outlooks.of(modelId)?.learned.estimate;
    return estimate ? this.#learned(estimate).lines : null;
  }

  /** The measured total in lines: llama.cpp says what its buffers are, the rest is the process. */
  measuredLines(modelId: string, measuredBytes: number | null): MemoryLinesView | null {
    const resident = this.#residents.get(modelId);
    if (!resident || measuredBytes === null) return null;
    return measuredLines(measuredBytes, resident.info, resident.estimate.lines);
  }

  /** As it is learned by now. */
  #learned(estimate: Estimate): LearnedEstimate {
    const correction = this.#learning.correctionOf(estimate.header.identity);
    return { estimate, lines: corrected(estimate.lines, correction), correction };
  }
}
