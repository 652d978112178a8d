/*
 * The sizes that a model can be loaded with. Everyone who takes them from outside holds them against these: models.yaml,
 * the admin calls, the command line.
 */

export interface SizeLimit {
  readonly min: number;
  readonly max: number;
  /** A size that suits many, for messages. */
  readonly example: number;
}

export const MODEL_LIMITS = {
  /** In tokens, of one slot. */
  contextSize: { min: 64, max: 1_048_576, example: 8192 },
  /** Slots. */
  parallel: { min: 1, max: 64, example: 2 },
  /** In tokens. */
  batchSize: { min: 1, max: 16_384, example: 512 },
} as const satisfies Record<string, SizeLimit>;

export const CACHE_TYPES = ['f16', 'q8_0', 'q4_0'] as const;

/** Less than this holds no model at all: the process of an engine alone takes most of it. */
export const MIN_BUDGET_BYTES = 128 * 1024 ** 2;
