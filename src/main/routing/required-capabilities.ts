import { assertNever } from '../../shared/assert-never.ts';
import type { ContentPart, GenerationRequest } from '../../shared/generation.ts';

/** What a request can need of a model beyond reading and writing text, by the catalog's names. */
export type RequiredCapability =
  | 'image_input'
  | 'audio_input'
  | 'document_input'
  | 'function_calling'
  | 'structured_output'
  | 'json_mode'
  | 'embeddings';

/**
 * What a model must be able to do so that its answer is right. What would only make it better is left out: how hard to
 * think, and tools that must not be called.
 * @returns each once, in the order of the union
 */
export function requiredCapabilities(request: GenerationRequest): readonly RequiredCapability[] {
  const { prompt, tools, responseFormat } = request;
  const messages = prompt.kind === 'chat' ? prompt.messages : [];
  const parts = new Set<ContentPart['type']>();
  for (const { content } of messages) {
    if (typeof content !== 'string') for (const { type } of content) parts.add(type);
  }
  const callsTools =
    (tools !== null && tools.choice !== 'none') || messages.some(({ toolCalls }) => toolCalls !== undefined);
  const required: (RequiredCapability | false)[] = [
    parts.has('image') && 'image_input',
    parts.has('audio') && 'audio_input',
    parts.has('file') && 'document_input',
    callsTools && 'function_calling',
    responseFormat?.type === 'json_schema' && 'structured_output',
    responseFormat?.type === 'json_object' && 'json_mode',
  ];
  return required.filter((capability) => capability !== false);
}

/** What cannot be done without it, in words that follow "cannot". */
export function describeCapability(capability: RequiredCapability): string {
  switch (capability) {
    case 'image_input':
      return 'see images';
    case 'audio_input':
      return 'hear sound';
    case 'document_input':
      return 'read files';
    case 'function_calling':
      return 'call tools';
    case 'structured_output':
      return 'keep to a JSON schema';
    case 'json_mode':
      return 'be held to JSON';
    case 'embeddings':
      return 'embed texts';
    default:
      return assertNever(capability);
  }
}

/** The field of an OpenAI request that asks for it. */
export function paramOfCapability(capability: RequiredCapability): string {
  switch (capability) {
    case 'image_input':
    case 'audio_input':
    case 'document_input':
      return 'messages';
    case 'function_calling':
      return 'tools';
    case 'structured_output':
    case 'json_mode':
      return 'response_format';
    case 'embeddings':
      return 'model';
    default:
      return assertNever(capability);
  }
}
