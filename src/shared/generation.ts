import { z } from 'zod';
import type { ErrorJson } from './errors.ts';

/*
 * What passes between the wire formats on one side and the engines on the other: one request, one union of parts.
 */

export const chatMessageSchema = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
  name: z.string().optional(),
});
export type ChatMessage = z.infer<typeof chatMessageSchema>;

/** `chat` goes through the model's template; `text` and `tokens` reach the model as they are. */
export const promptSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('chat'), messages: z.array(chatMessageSchema).min(1) }),
  z.object({ kind: z.literal('text'), text: z.string() }),
  z.object({ kind: z.literal('tokens'), tokens: z.array(z.int().nonnegative()) }),
]);
export type Prompt = z.infer<typeof promptSchema>;

/**
 * How tokens are chosen. `null` leaves a choice to the model's settings, then to the OpenAI API's defaults.
 * Penalties look at the text generated so far, as the OpenAI API defines them.
 */
export const samplingSchema = z.object({
  temperature: z.number().min(0).max(2).nullable(),
  topP: z.number().min(0).max(1).nullable(),
  topK: z.int().min(0).nullable(),
  minP: z.number().min(0).max(1).nullable(),
  repeatPenalty: z.number().min(0).max(10).nullable(),
  frequencyPenalty: z.number().min(-2).max(2).nullable(),
  presencePenalty: z.number().min(-2).max(2).nullable(),
  /** Token id → bias in logits, −100 to 100. */
  logitBias: z.record(z.string(), z.number().min(-100).max(100)).nullable(),
  /** 32 bits, unsigned; `null` takes a random one. */
  seed: z.int().min(0).max(0xffff_ffff).nullable(),
});
export type Sampling = z.infer<typeof samplingSchema>;

export const generationRequestSchema = z.object({
  prompt: promptSchema,
  /** Tokens to generate at most; `null` and anything larger than what fits mean: until the context is full. */
  maxTokens: z.int().min(0).nullable(),
  stop: z.array(z.string().min(1)),
  sampling: samplingSchema,
});
export type GenerationRequest = z.infer<typeof generationRequestSchema>;

export const NO_SAMPLING: Sampling = {
  temperature: null,
  topP: null,
  topK: null,
  minP: null,
  repeatPenalty: null,
  frequencyPenalty: null,
  presencePenalty: null,
  logitBias: null,
  seed: null,
};

/** Sampling with every choice made: an engine knows no defaults. */
export interface EngineSampling {
  readonly temperature: number;
  readonly topP: number;
  /** 0 = off. */
  readonly topK: number;
  readonly minP: number;
  /** 1 = off. */
  readonly repeatPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  /** Pairs of token id and logits to add. */
  readonly logitBias: readonly (readonly [number, number])[];
  readonly seed: number;
}

/** A request as an engine takes it. */
export interface EngineRequest {
  readonly prompt: Prompt;
  /** `null` = until the context is full. */
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
  readonly sampling: EngineSampling;
}

export type FinishReason = 'stop' | 'length';

export interface Usage {
  readonly promptTokens: number;
  /** Of `promptTokens`, those that were already in the slot's cache. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

/** A stream is any number of deltas, then `finish` and `usage`; or it ends early with one `error`. */
export type StreamPart =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'finish'; readonly reason: FinishReason }
  | ({ readonly type: 'usage' } & Usage)
  | { readonly type: 'error'; readonly error: ErrorJson };
