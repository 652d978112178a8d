import { z } from 'zod';
import type { EngineSettings } from '../config/settings.ts';

/*
 * What the estimate child and the main process say to each other, and the facts of a GGUF header that both use.
 */

const bytes = z.int().nonnegative();
const count = z.int().nonnegative();

/** A chat template is somebody's program: a larger one is refused when its model is loaded. */
export const MAX_TEMPLATE_BYTES = 512 * 1024;

/** What an engine needs of the tokenizer's part of a header. llama.cpp reads the same for itself and tells only some of it. */
const tokenizerFactsSchema = z.object({
  /** UTF-8 bytes of the longest token's spelling: no token stands for a longer text. 0 without a vocabulary. */
  longestTokenBytes: bytes,
  /** Tokens that are special, or may be. `type` is GGUF's: 1 = normal, 2 = unknown, 3 = control, 4 = user-defined. */
  specialTokens: z.array(z.object({ id: count, type: count, text: z.string() })),
  /** Jinja; `null` when there is none, or it is larger than templates may be. */
  chatTemplate: z.string().nullable(),
  chatTemplateBytes: bytes,
});
export type TokenizerFacts = z.infer<typeof tokenizerFactsSchema>;

/** Facts of a GGUF header, over all shards. What the file does not say is `null`. */
export const modelHeaderSchema = z.object({
  /** Changes when a file of the model is replaced, grows or is touched. */
  identity: z.string(),
  fileBytes: bytes,
  shards: count,
  architecture: z.string(),
  /** `general.name`. */
  name: z.string().nullable(),
  /** As people call it: `Q4_K_M`, `F16`. */
  quantization: z.string(),
  parameters: count,
  /** Tokens it was trained on at a time. */
  trainedContextSize: count.nullable(),
  blockCount: count,
  embeddingLength: count,
  /** Per layer, as long as `blockCount`. */
  headCounts: z.array(count),
  kvHeadCounts: z.array(count),
  feedForwardLengths: z.array(count),
  /** Mixture of experts: how many work on each token, and how wide each is; `null` for dense models. */
  experts: z.object({ used: count, feedForwardLength: count }).nullable(),
  /** Width of one head's key and value. */
  keyLength: count,
  valueLength: count,
  /** Tokens that sliding layers look back; `null` when every layer sees the whole context. */
  slidingWindow: count.nullable(),
  /** Whether every layer keeps a key and a value for every token: no sliding window, latent or recurrent layers. */
  plainAttention: z.boolean(),
  vocabulary: z.object({
    size: count,
    /** `gpt2` (BPE), `llama` (SentencePiece), `bert`, … */
    tokenizer: z.string().nullable(),
    /** Bytes of all token texts. */
    textBytes: bytes,
    merges: count,
    mergeTextBytes: bytes,
  }),
  tokenizer: tokenizerFactsSchema,
  tensorCount: count,
  tensorBytes: bytes,
  tensorBytesByType: z.record(z.string(), bytes),
  /** The part of `tensorBytesByType` that is multiplied with: matrices and experts, without the token embedding. */
  matrixBytesByType: z.record(z.string(), bytes),
  embeddingType: z.string().nullable(),
  embeddingBytes: bytes,
  /** `null` when the output layer uses the token embedding's weights. */
  outputType: z.string().nullable(),
});
export type ModelHeader = z.infer<typeof modelHeaderSchema>;

/** What an engine is told of a model's header, so that it need not read the file a second time. */
export type EngineHeader = Pick<
  ModelHeader,
  | 'architecture'
  | 'blockCount'
  | 'embeddingLength'
  | 'headCounts'
  | 'keyLength'
  | 'valueLength'
  | 'slidingWindow'
  | 'trainedContextSize'
  | 'tokenizer'
> & { readonly vocabularySize: number };

export function engineHeader(header: ModelHeader): EngineHeader {
  const { architecture, blockCount, embeddingLength, headCounts, keyLength, valueLength } = header;
  const { slidingWindow, trainedContextSize, tokenizer, vocabulary } = header;
  return {
    architecture,
    blockCount,
    embeddingLength,
    headCounts,
    keyLength,
    valueLength,
    slidingWindow,
    trainedContextSize,
    tokenizer,
    vocabularySize: vocabulary.size,
  };
}

/** The settings that memory depends on. */
export type LoadSettings = Pick<
  EngineSettings,
  'contextSize' | 'parallel' | 'batchSize' | 'cacheType' | 'flashAttention'
>;

/** Asked of an estimate child, once: it answers and is ended. */
export interface EstimateRequest {
  readonly type: 'estimate';
  /** The model's only file, or its first shard. */
  readonly file: string;
  /** Contexts of which llama.cpp's own figure is wanted, where the header alone does not tell. */
  readonly contexts: readonly LoadSettings[];
  /** Nobody waits for the answer: whatever else runs on the machine goes first. */
  readonly background: boolean;
}

export const estimateReplySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('header'),
    header: modelHeaderSchema,
    /** For each of the contexts asked for, cache and buffers; `null` where the header tells, or llama.cpp does not. */
    contextBytes: z.array(bytes).nullable(),
  }),
  /** Why the file cannot be used, in words for the user. */
  z.object({ type: z.literal('refused'), message: z.string() }),
]);
export type EstimateReply = z.infer<typeof estimateReplySchema>;
