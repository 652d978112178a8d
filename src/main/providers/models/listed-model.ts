import { z } from 'zod';
import type { Capability } from '../../../shared/capabilities.ts';
import { CAPABILITIES } from '../../../shared/capabilities.ts';
import type { Capabilities, RemoteModel, RemotePricing } from '../provider.ts';
import { perMillion } from './per-million.ts';

/*
 * One entry of `GET /v1/models`. Its four fields of the OpenAI API tell nothing of a model, so servers add their own,
 * each in its way. Whatever is there is read, whoever wrote it: a server need not say which it is.
 */

const tokens = z.number().int().positive().nullish().catch(null);
const text = z.string().min(1).nullish().catch(null);
const list = z.array(z.string()).nullish().catch(null);
const fields = <Shape extends z.ZodRawShape>(shape: Shape) => z.looseObject(shape).nullish().catch(null);

const entrySchema = z.looseObject({
  id: z.string().min(1),
  name: text,
  display_name: text,
  owned_by: text,
  /** Groq. One that is not active does not answer. */
  active: z.boolean().nullish().catch(null),
  context_window: tokens,
  max_completion_tokens: tokens,
  /** OpenRouter, and others after it. */
  context_length: tokens,
  top_provider: fields({ context_length: tokens, max_completion_tokens: tokens }),
  architecture: fields({ input_modalities: list, output_modalities: list }),
  supported_parameters: list,
  pricing: fields({ prompt: text, completion: text, input_cache_read: text, input_cache_write: text }),
  /** vLLM. */
  max_model_len: tokens,
  /** llama.cpp: what it was loaded with, and what the model could. */
  meta: fields({ n_ctx: tokens, n_ctx_train: tokens }),
  /** LM Studio, in its own list. */
  type: text,
  loaded_context_length: tokens,
  max_context_length: tokens,
  /** LM Studio and Ollama a list of words, others an object. */
  capabilities: z.unknown().optional(),
  /** Another Roundhouse. */
  roundhouse: fields({
    context_size: tokens,
    max_output_tokens: tokens,
    capabilities: z.record(z.string(), z.unknown()).nullish().catch(null),
  }),
});
type Entry = z.infer<typeof entrySchema>;

/** @returns `null` for what is no model, and for one that does not answer */
export function listedModel(entry: unknown): RemoteModel | null {
  const read = entrySchema.safeParse(entry);
  if (!read.success || read.data.active === false) return null;
  const model = read.data;
  return {
    remoteId: model.id,
    name: model.name ?? model.display_name ?? model.id,
    contextSize: contextOf(model),
    maxOutputTokens:
      model.top_provider?.max_completion_tokens ??
      model.max_completion_tokens ??
      model.roundhouse?.max_output_tokens ??
      null,
    capabilities: {
      ...wordsIn(model),
      ...modalitiesIn(model),
      ...parametersIn(model),
      ...ownIn(model.roundhouse?.capabilities ?? {}),
    },
    ownedBy: model.owned_by ?? null,
    pricing: pricingIn(model),
  };
}

/** What a conversation can hold: as loaded, where that is known, else what the model could. */
function contextOf(model: Entry): number | null {
  return (
    model.roundhouse?.context_size ??
    model.max_model_len ??
    model.meta?.n_ctx ??
    model.loaded_context_length ??
    model.top_provider?.context_length ??
    model.context_length ??
    model.context_window ??
    model.max_context_length ??
    model.meta?.n_ctx_train ??
    null
  );
}

const INPUTS: Readonly<Record<string, Capability>> = {
  text: 'text_input',
  image: 'image_input',
  audio: 'audio_input',
  video: 'video_input',
  file: 'document_input',
};
const OUTPUTS: Readonly<Record<string, Capability>> = { text: 'text_output', image: 'image_output' };
const PARAMETERS: Readonly<Record<string, Capability>> = {
  tools: 'function_calling',
  response_format: 'json_mode',
  structured_outputs: 'structured_output',
  reasoning: 'extended_thinking',
};

/** A list that is there is whole: what it does not name the model cannot. */
function saysOf(
  words: readonly string[] | null | undefined,
  names: Readonly<Record<string, Capability>>,
): Capabilities {
  if (!words) return {};
  const entries = Object.entries(names).map(([word, capability]) => [
    capability,
    words.includes(word) ? 'yes' : 'no',
  ]);
  return Object.fromEntries(entries);
}

function modalitiesIn({ architecture }: Entry): Capabilities {
  return {
    ...saysOf(architecture?.input_modalities, INPUTS),
    ...saysOf(architecture?.output_modalities, OUTPUTS),
  };
}

function parametersIn({ supported_parameters: parameters, pricing }: Entry): Capabilities {
  const cached = pricing?.input_cache_read;
  return { ...saysOf(parameters, PARAMETERS), ...(cached && { prompt_caching: 'yes' }) };
}

/** Words of LM Studio and Ollama. One that is missing says nothing: the lists are not whole. */
const WORDS: Readonly<Record<string, readonly Capability[]>> = {
  completion: ['text_input', 'text_output', 'streaming'],
  tools: ['function_calling'],
  tool_use: ['function_calling'],
  vision: ['image_input'],
  audio: ['audio_input'],
  thinking: ['extended_thinking'],
  embedding: ['embeddings'],
  rerank: ['rerank'],
  llm: ['text_input', 'text_output', 'streaming'],
  vlm: ['text_input', 'image_input', 'text_output', 'streaming'],
  embeddings: ['embeddings'],
};

/** What words such as Ollama's `capabilities` and LM Studio's `type` say of a model. */
export function capabilitiesOf(words: readonly string[]): Capabilities {
  return Object.fromEntries(
    words.flatMap((word) => WORDS[word] ?? []).map((capability) => [capability, 'yes']),
  );
}

function wordsIn({ type, capabilities }: Entry): Capabilities {
  const named = z.array(z.string()).safeParse(capabilities).data ?? [];
  return capabilitiesOf([...(type ? [type] : []), ...named]);
}

function ownIn(capabilities: Readonly<Record<string, unknown>>): Capabilities {
  const entries = CAPABILITIES.map((name) => [name, capabilities[name]]);
  return Object.fromEntries(entries.filter(([, support]) => support === 'yes' || support === 'no'));
}

function pricingIn({ pricing }: Entry): RemotePricing | null {
  const price = (value: string | null | undefined) => (value ? perMillion(value) : null);
  const [input, output] = [price(pricing?.prompt), price(pricing?.completion)];
  if (input === null && output === null) return null;
  return {
    input,
    output,
    cachedInput: price(pricing?.input_cache_read),
    cacheWrite: price(pricing?.input_cache_write),
  };
}
