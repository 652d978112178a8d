import type OpenAI from 'openai';
import { KNOWN_MODEL } from './brain.ts';
import type { Flavour } from './openai-flavours.ts';
import { type Recorded, type WireAnswer, WireRefusal } from './wire-server.ts';

/* What servers tell of their models: in OpenAI's list, with what each adds to it, and beside their OpenAI API. */

const listed = { object: 'model', created: 1_735_142_223 } as const;
export const MODELS: Readonly<Record<Flavour, readonly object[]>> = {
  openai: [{ ...listed, id: KNOWN_MODEL, owned_by: 'system' } satisfies OpenAI.Model],
  openrouter: [
    {
      id: KNOWN_MODEL,
      canonical_slug: KNOWN_MODEL,
      name: 'Fake: Model',
      created: 1_735_142_223,
      context_length: 200_000,
      architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'], tokenizer: 'Other' },
      pricing: { prompt: '0.000003', completion: '0.000015', input_cache_read: '0.0000003' },
      top_provider: { context_length: 200_000, max_completion_tokens: 64_000, is_moderated: false },
      supported_parameters: ['tools', 'response_format', 'structured_outputs'],
    },
  ],
  groq: [
    {
      ...listed,
      id: KNOWN_MODEL,
      owned_by: 'Meta',
      active: true,
      context_window: 131_072,
      max_completion_tokens: 32_768,
    },
  ],
  vllm: [
    { ...listed, id: KNOWN_MODEL, owned_by: 'vllm', root: KNOWN_MODEL, parent: null, max_model_len: 32_768 },
  ],
  'llama.cpp': [
    { ...listed, id: KNOWN_MODEL, owned_by: 'llamacpp', meta: { n_ctx_train: 131_072, n_embd: 4096 } },
  ],
  ollama: [{ ...listed, id: KNOWN_MODEL, owned_by: 'library' }],
  'lm-studio': [{ id: KNOWN_MODEL, object: 'model', owned_by: 'organization_owner' }],
};

/** What these servers have beside their OpenAI API. */
export function besideApi(flavour: Flavour, { path, body }: Recorded): WireAnswer | null {
  const ok = (answer: object): WireAnswer => ({ status: 200, body: answer });
  switch (`${flavour} ${path}`) {
    case 'llama.cpp /props':
      return ok({
        default_generation_settings: { n_ctx: 8192, params: {} },
        total_slots: 1,
        modalities: { vision: true, audio: false },
        chat_template_caps: { supports_tools: true },
      });
    case 'lm-studio /api/v0/models':
      return ok({
        object: 'list',
        data: [
          {
            id: KNOWN_MODEL,
            object: 'model',
            type: 'vlm',
            state: 'loaded',
            max_context_length: 32_768,
            loaded_context_length: 4096,
            capabilities: ['tool_use'],
          },
        ],
      });
    case 'ollama /api/version':
      return ok({ version: '0.40.12' });
    case 'ollama /api/show':
      if ((body as { model?: string }).model !== KNOWN_MODEL)
        throw new WireRefusal(404, { error: 'model not found' });
      return ok({
        capabilities: ['completion', 'tools', 'vision', 'thinking'],
        model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072 },
      });
    default:
      return null;
  }
}
