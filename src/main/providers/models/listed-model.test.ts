import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listedModel } from './listed-model.ts';

const plain = { object: 'model', created: 1_735_142_223 };

/** As the servers' documentation and sources show them. */
describe('an entry of', () => {
  test('OpenAI tells nothing but a name', () => {
    expect(listedModel({ ...plain, id: 'gpt-4.1', owned_by: 'system' })).toEqual({
      remoteId: 'gpt-4.1',
      name: 'gpt-4.1',
      contextSize: null,
      maxOutputTokens: null,
      capabilities: {},
      ownedBy: 'system',
      pricing: null,
    });
  });

  test('OpenRouter tells nearly everything', () => {
    const model = listedModel({
      id: 'anthropic/claude',
      name: 'Anthropic: Claude',
      created: 1,
      context_length: 200_000,
      architecture: {
        modality: 'text+image->text',
        input_modalities: ['text', 'image', 'file'],
        output_modalities: ['text'],
        tokenizer: 'Claude',
        instruct_type: null,
      },
      pricing: {
        prompt: '0.000003',
        completion: '0.000015',
        request: '0',
        image: '0.0048',
        input_cache_read: '0.0000003',
        input_cache_write: '0.00000375',
      },
      top_provider: { context_length: 200_000, max_completion_tokens: 64_000, is_moderated: true },
      per_request_limits: null,
      supported_parameters: ['max_tokens', 'temperature', 'tools', 'tool_choice', 'reasoning'],
    });
    expect(model).toMatchObject({
      name: 'Anthropic: Claude',
      contextSize: 200_000,
      maxOutputTokens: 64_000,
      pricing: { input: '3', output: '15', cachedInput: '0.3', cacheWrite: '3.75' },
      capabilities: {
        text_input: 'yes',
        image_input: 'yes',
        document_input: 'yes',
        audio_input: 'no',
        text_output: 'yes',
        image_output: 'no',
        function_calling: 'yes',
        structured_output: 'no',
        extended_thinking: 'yes',
        prompt_caching: 'yes',
      },
    });
  });

  test('OpenRouter, where the price varies', () => {
    expect(listedModel({ id: 'auto', pricing: { prompt: '-1', completion: '-1' } })?.pricing).toBeNull();
  });

  test('Groq tells its context, and which do not answer', () => {
    const groq = {
      ...plain,
      id: 'llama',
      owned_by: 'Meta',
      context_window: 131_072,
      max_completion_tokens: 32_768,
    };
    expect(listedModel({ ...groq, active: true })).toMatchObject({
      contextSize: 131_072,
      maxOutputTokens: 32_768,
    });
    expect(listedModel({ ...groq, active: false })).toBeNull();
  });

  test('vLLM tells its context', () => {
    expect(
      listedModel({ ...plain, id: 'qwen', owned_by: 'vllm', root: 'qwen', max_model_len: 32_768 }),
    ).toMatchObject({
      contextSize: 32_768,
      ownedBy: 'vllm',
    });
  });

  test('llama.cpp tells what it was loaded with, or what the model could', () => {
    const meta = { vocab_type: 2, n_vocab: 128_256, n_ctx_train: 131_072, size: 4_912_898_304 };
    expect(listedModel({ ...plain, id: 'm.gguf', owned_by: 'llamacpp', meta })?.contextSize).toBe(131_072);
    expect(listedModel({ ...plain, id: 'm', meta: { ...meta, n_ctx: 8192 } })?.contextSize).toBe(8192);
    expect(listedModel({ ...plain, id: 'm', meta: null })?.contextSize).toBeNull();
  });

  test('LM Studio, in its own list', () => {
    const model = {
      id: 'qwen2-vl-7b-instruct',
      object: 'model',
      type: 'vlm',
      publisher: 'mlx-community',
      state: 'loaded',
      max_context_length: 32_768,
      loaded_context_length: 4096,
      capabilities: ['tool_use'],
    };
    expect(listedModel(model)).toMatchObject({
      contextSize: 4096,
      capabilities: { image_input: 'yes', text_output: 'yes', function_calling: 'yes' },
    });
    expect(listedModel({ id: 'nomic', type: 'embeddings' })?.capabilities).toEqual({ embeddings: 'yes' });
  });

  test('another Roundhouse', () => {
    const model = {
      ...plain,
      id: 'demo',
      owned_by: 'roundhouse',
      type: 'model',
      display_name: 'Demo',
      roundhouse: {
        state: 'ready',
        context_size: 512,
        capabilities: { text_output: 'yes', image_input: 'no', audio_input: 'unknown', invented: 'yes' },
      },
    };
    expect(listedModel(model)).toMatchObject({
      name: 'Demo',
      contextSize: 512,
      capabilities: { text_output: 'yes', image_input: 'no' },
    });
  });
});

test('whatever an entry holds, what is read of it makes sense', () => {
  const keys = [
    'name',
    'owned_by',
    'meta',
    'pricing',
    'architecture',
    'capabilities',
    'roundhouse',
    'max_model_len',
  ];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()), (entry) => {
      const model = listedModel({ ...entry, id: 'x' });
      expect(model?.remoteId).toBe('x');
      expect(model?.contextSize === null || Number.isInteger(model?.contextSize)).toBe(true);
      expect(model?.name).not.toBe('');
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), (entry) => {
      expect(() => listedModel(entry)).not.toThrow();
    }),
  );
});
