import type { JSONObject } from '@ai-sdk/provider';
import type { GenerationRequest, Sampling } from '../../../shared/generation.ts';
import type { Dialect } from '../call-options.ts';
import { modelList } from '../models/model-list.ts';
import { bearer, type Connection, ignoresNothing, type Sdk, type Vendor } from './vendor.ts';

/** The name under which the SDK finds what is meant for it. */
const KEY = 'upstream';

/** How much of a model's choosing a server takes beyond the OpenAI API. */
export type ExtraSampling = (sampling: Sampling) => JSONObject;

/** As vLLM, llama.cpp, OpenRouter and another Roundhouse name them; llama.cpp has its own name for the last. */
export const allSampling: ExtraSampling = ({ topK, minP, repeatPenalty }) => ({
  ...(topK !== null && { top_k: topK }),
  ...(minP !== null && { min_p: minP }),
  ...(repeatPenalty !== null && { repetition_penalty: repeatPenalty, repeat_penalty: repeatPenalty }),
});

/** For servers that refuse a parameter which they do not know. */
export const standardSampling: ExtraSampling = () => ({});

/** How a server is asked that speaks OpenAI's chat completions. */
export function compatibleDialect(extraSampling: ExtraSampling): Dialect {
  return {
    systemFirst: false,
    callArguments: 'text',
    fetchesImages: true,
    anyObject: null,
    // The SDK has no word for the detail, but lays these over what it wrote.
    imageOptions: ({ url, detail }) =>
      detail === null ? undefined : { openaiCompatible: { image_url: { url, detail } } },
    reasoning: ({ reasoningEffort }) => reasoningEffort,
    options: ({ tools, responseFormat, sampling, user }: GenerationRequest) => ({
      [KEY]: {
        // The SDK's own default is strict, which refuses most schemas.
        strictJsonSchema: (responseFormat?.type === 'json_schema' && responseFormat.strict) || false,
        ...(user !== null && { user }),
        ...(sampling.logitBias !== null && { logit_bias: sampling.logitBias }),
        ...(tools !== null && tools.parallel !== null && { parallel_tool_calls: tools.parallel }),
        ...extraSampling(sampling),
      },
    }),
  };
}

export async function connectCompatible({ apiKey, ...connection }: Connection): Promise<Sdk> {
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
  const sdk = createOpenAICompatible({
    ...connection,
    name: KEY,
    includeUsage: true,
    supportsStructuredOutputs: true,
    ...(apiKey !== null && { apiKey }),
  });
  return { languageModel: (id) => sdk.chatModel(id), embeddingModel: (id) => sdk.embeddingModel(id) };
}

/** vLLM, llama.cpp, Ollama, LM Studio, another Roundhouse, and whatever else speaks OpenAI's chat completions. */
export const openaiCompatible: Vendor = {
  kind: 'openai-compatible',
  baseUrl: null,
  dialect: compatibleDialect(allSampling),
  headers: bearer,
  connect: connectCompatible,
  ignores: ignoresNothing,
  listModels: modelList,
  pingPath: '/models',
  detectors: ['ollama', 'lm-studio', 'llama-cpp'],
};
