import type { GenerationRequest } from '../../../shared/generation.ts';
import type { Dialect } from '../call-options.ts';
import { modelList } from '../models/model-list.ts';
import { bearer, ignoresNothing, NO_KEY, type Vendor } from './vendor.ts';

const dialect: Dialect = {
  systemFirst: false,
  callArguments: 'text',
  fetchesImages: true,
  anyObject: null,
  imageOptions: ({ detail }) => (detail === null ? undefined : { openai: { imageDetail: detail } }),
  reasoning: ({ reasoningEffort }) => reasoningEffort,
  options: ({ tools, responseFormat, sampling, user }: GenerationRequest) => ({
    openai: {
      // The SDK's own default is strict, which refuses most schemas.
      strictJsonSchema: (responseFormat?.type === 'json_schema' && responseFormat.strict) || false,
      ...(user !== null && { user }),
      ...(sampling.logitBias !== null && { logitBias: sampling.logitBias }),
      ...(tools !== null && tools.parallel !== null && { parallelToolCalls: tools.parallel }),
    },
  }),
};

/** OpenAI's chat completions: the API that our own requests are made after. */
export const openai: Vendor = {
  kind: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  dialect,
  headers: bearer,
  async connect(connection) {
    const { createOpenAI } = await import('@ai-sdk/openai');
    const sdk = createOpenAI({ ...connection, apiKey: connection.apiKey ?? NO_KEY });
    return { languageModel: (id) => sdk.chat(id), embeddingModel: (id) => sdk.embeddingModel(id) };
  },
  ignores: ignoresNothing,
  listModels: modelList,
  pingPath: '/models',
  detectors: [],
};
