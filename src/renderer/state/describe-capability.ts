import { CAPABILITIES, type Capability, type CapabilityMatrix } from '../../shared/capabilities.ts';

const WORDS: Readonly<Record<Capability, string>> = {
  text_input: 'text in',
  image_input: 'images in',
  audio_input: 'audio in',
  video_input: 'video in',
  document_input: 'documents in',
  text_output: 'text out',
  image_output: 'images out',
  structured_output: 'structured output',
  function_calling: 'tools',
  json_mode: 'JSON mode',
  streaming: 'streaming',
  batch: 'batches',
  large_context: '128k context',
  extra_large_context: '1M context',
  prompt_caching: 'prompt caching',
  extended_thinking: 'extended thinking',
  chain_of_thought: 'chain of thought',
  code: 'code',
  maths: 'maths',
  embeddings: 'embeddings',
  rerank: 'reranking',
  system_messages: 'system messages',
  content_filtering: 'content filtering',
};

export function describeCapability(capability: Capability): string {
  return WORDS[capability];
}

/** What nearly every model can, so that it tells none from another in a row. */
const COMMON: readonly Capability[] = ['text_input', 'text_output', 'streaming', 'system_messages'];

/** What tells a model from others: what it surely can, without what nearly all can. */
export function tellingCapabilities(matrix: CapabilityMatrix): readonly Capability[] {
  return supported(matrix).filter(
    (name) =>
      !COMMON.includes(name) &&
      // Said by its larger or stricter kin.
      !(name === 'large_context' && matrix.extra_large_context === 'yes') &&
      !(name === 'json_mode' && matrix.structured_output === 'yes'),
  );
}

/** What it surely can. */
export function supported(matrix: CapabilityMatrix): readonly Capability[] {
  return CAPABILITIES.filter((name) => matrix[name] === 'yes');
}
