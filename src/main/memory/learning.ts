import type { Correction } from './correction.ts';
import { learn } from './correction.ts';

/** What a load was predicted to take when no slot has held more than `deepestTokens`. Uncorrected. */
export type PredictAt = (deepestTokens: number) => number;

interface Loaded {
  readonly identity: string;
  readonly predictAt: PredictAt;
  /** What was known before this load: each of its measurements replaces the last, a load counts once. */
  readonly before: Correction | null;
  deepestTokens: number;
  measuredBytes: number;
}

/** Learns from each load what the arithmetic cannot know, by model. Keeps it through `save`. */
export class MemoryLearning {
  readonly #corrections: Map<string, Correction>;
  readonly #save: (identity: string, correction: Correction) => void;
  readonly #loaded = new Map<string, Loaded>();

  constructor(
    saved: ReadonlyMap<string, Correction>,
    save: (identity: string, correction: Correction) => void,
  ) {
    this.#corrections = new Map(saved);
    this.#save = save;
  }

  /** @param identity of the model's file: another file is another model */
  correctionOf(identity: string): Correction | null {
    return this.#corrections.get(identity) ?? null;
  }

  loaded(modelId: string, identity: string, predictAt: PredictAt): void {
    const before = this.correctionOf(identity);
    this.#loaded.set(modelId, { identity, predictAt, before, deepestTokens: 0, measuredBytes: 0 });
  }

  /** A request has ended that filled its slot with this many tokens. */
  served(modelId: string, tokens: number): void {
    const loaded = this.#loaded.get(modelId);
    if (loaded) loaded.deepestTokens = Math.max(loaded.deepestTokens, tokens);
  }

  measured(modelId: string, bytes: number): void {
    const loaded = this.#loaded.get(modelId);
    // Before the first request nothing has been computed yet, and half of the buffers were never touched.
    if (!loaded || loaded.deepestTokens === 0) return;
    loaded.measuredBytes = Math.max(loaded.measuredBytes, bytes);
    const predictedBytes = loaded.predictAt(loaded.deepestTokens);
    const correction = learn(loaded.before, { predictedBytes, measuredBytes: loaded.measuredBytes });
    this.#corrections.set(loaded.identity, correction);
    this.#save(loaded.identity, correction);
  }

  gone(modelId: string): void {
    this.#loaded.delete(modelId);
  }
}
