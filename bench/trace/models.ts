/*
 * What one person's folder of models may look like, and what they cost to load and to run. Sizes are what an engine
 * holds: weights, caches of two 8k contexts, buffers. The largest fits a quarter of them all, with the margin that is
 * kept until a model was measured.
 */

const GIB = 1024 ** 3;

export interface SimulatedModel {
  readonly id: string;
  readonly bytes: number;
}

const SIZES_GIB: Readonly<Record<string, number>> = {
  'qwen2.5-coder-0.5b': 0.5,
  'qwen3-embedding-0.6b': 0.7,
  'gemma-3-1b': 1.0,
  'llama-3.2-1b': 1.4,
  'llama-3.2-3b': 2.5,
  'qwen3-4b': 3.2,
  'mistral-7b': 5.1,
  'qwen2.5-coder-7b': 5.3,
  'llama-3.1-8b': 5.6,
  'qwen3-8b': 6.3,
  'gemma-3-12b': 8.2,
  'phi-4-14b': 9.6,
  'gpt-oss-20b': 12.5,
  'mistral-small-24b': 15,
  'gemma-3-27b': 17,
  'qwen2.5-coder-32b': 20,
};

export const MODELS: readonly SimulatedModel[] = Object.entries(SIZES_GIB).map(([id, gib]) => ({
  id,
  bytes: Math.round(gib * GIB),
}));

export const ALL_BYTES = MODELS.reduce((sum, { bytes }) => sum + bytes, 0);

/** Tokens per second of a Mac of the upper middle: an 8B model of 5 GiB reads 800 and writes 56. */
const MAX_PREFILL_TOKENS_PER_S = 5000;
const PREFILL_BYTES_PER_S = 4000 * GIB;
const MAX_DECODE_TOKENS_PER_S = 150;
const DECODE_BYTES_PER_S = 300e9;

/** How long a request holds its slot, in milliseconds. Two at once are taken not to slow each other down. */
export function serviceMs(bytes: number, contextTokens: number, generatedTokens: number): number {
  const prefillPerS = Math.min(MAX_PREFILL_TOKENS_PER_S, PREFILL_BYTES_PER_S / bytes);
  const decodePerS = Math.min(MAX_DECODE_TOKENS_PER_S, DECODE_BYTES_PER_S / bytes);
  return 1000 * (contextTokens / prefillPerS + generatedTokens / decodePerS);
}
