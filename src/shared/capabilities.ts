/*
 * What models can do, as far as a source says so. The names are those of definition files and of queries.
 */

export const CAPABILITIES = [
  'text_input',
  'image_input',
  'audio_input',
  'video_input',
  'document_input',
  'text_output',
  'image_output',
  'structured_output',
  'function_calling',
  'json_mode',
  'streaming',
  'batch',
  'large_context',
  'extra_large_context',
  'prompt_caching',
  'extended_thinking',
  'chain_of_thought',
  'code',
  'maths',
  'embeddings',
  'rerank',
  'system_messages',
  'content_filtering',
] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** `unknown` where no source says: it is never taken for a yes, nor for a no. */
export const SUPPORT = ['yes', 'no', 'unknown'] as const;
export type Support = (typeof SUPPORT)[number];

export type CapabilityMatrix = Readonly<Record<Capability, Support>>;

/** Tokens of context from which on `large_context` and `extra_large_context` are said of a model. */
export const LARGE_CONTEXT_TOKENS = 128_000;
export const EXTRA_LARGE_CONTEXT_TOKENS = 1_000_000;

/** Where a model is in its life. A deprecated one still answers and names its replacement; a retired one is refused. */
export const STAGES = ['experimental', 'staging', 'production', 'deprecated', 'retired'] as const;
export type Stage = (typeof STAGES)[number];
