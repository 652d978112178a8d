import type { GenerationRequest, StreamPart } from '../../shared/generation.ts';

/** One kind of place that runs models. */
export interface Backend {
  /** Begins at once; failures come as an `error` part. */
  generate(modelId: string, request: GenerationRequest, signal: AbortSignal): Generation;
  /**
   * One vector for each of `inputs`, in their order.
   * @throws RoundhouseError `capability_missing` for a model that gives none
   */
  embed(
    modelId: string,
    inputs: readonly string[],
    options: EmbedOptions,
    signal: AbortSignal,
  ): Promise<Embeddings>;
}

export interface EmbedOptions {
  /** Length of the vectors; `null` = the model's own. */
  readonly dimensions: number | null;
}

export interface Embeddings {
  readonly vectors: readonly ArrayLike<number>[];
  /** `null` where nobody counted. */
  readonly promptTokens: number | null;
}

export interface Generation {
  /** Consumed once. Leaving the loop early aborts the generation and frees what it held. */
  readonly parts: AsyncIterable<StreamPart>;
  timing(): Timing;
}

export interface Timing {
  /** In the queue and for the model to load. */
  readonly waitMs: number;
  /** From asking the engine to its first part. */
  readonly backendMs: number;
}
