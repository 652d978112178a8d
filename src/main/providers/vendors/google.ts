import { z } from 'zod';
import type { GenerationRequest } from '../../../shared/generation.ts';
import type { Api } from '../api.ts';
import type { Dialect } from '../call-options.ts';
import type { Capabilities, RemoteModel } from '../provider.ts';
import { ignoresNothing, NO_KEY, type Vendor } from './vendor.ts';

const dialect: Dialect = {
  systemFirst: true,
  callArguments: 'object',
  fetchesImages: false,
  anyObject: null,
  imageOptions: () => undefined,
  reasoning: ({ reasoningEffort }) => reasoningEffort,
  options: ({ reasoningEffort }: GenerationRequest) => ({
    // Thoughts are counted in any case; whoever asks for thinking wants to see them.
    google:
      reasoningEffort === null || reasoningEffort === 'none'
        ? {}
        : { thinkingConfig: { includeThoughts: true } },
  }),
};

const tokens = z.number().int().positive().nullish().catch(null);
const modelSchema = z.looseObject({
  /** `models/gemini-2.5-flash` */
  name: z.string().min(1),
  displayName: z.string().min(1).nullish().catch(null),
  inputTokenLimit: tokens,
  outputTokenLimit: tokens,
  supportedGenerationMethods: z.array(z.string()).catch([]),
  thinking: z.boolean().nullish().catch(null),
});
const pageSchema = z.looseObject({
  models: z.array(z.unknown()).catch([]),
  nextPageToken: z.string().nullish().catch(null),
});

/** A list without end is a mistake of somebody's. */
const MAX_PAGES = 100;

async function listModels(api: Api, signal: AbortSignal): Promise<readonly RemoteModel[]> {
  const models: RemoteModel[] = [];
  let after = '';
  for (let page = 0; page < MAX_PAGES; page++) {
    const { models: entries, nextPageToken } = pageSchema.parse(
      await api.get(`/models?pageSize=1000${after}`, signal),
    );
    models.push(...entries.flatMap((entry) => readModel(entry) ?? []));
    if (!nextPageToken) break;
    after = `&pageToken=${encodeURIComponent(nextPageToken)}`;
  }
  return models;
}

/** Of its many models those that answer in text or give embeddings: the others have calls of their own. */
function readModel(entry: unknown): RemoteModel | null {
  const model = modelSchema.safeParse(entry).data;
  if (model === undefined) return null;
  const { supportedGenerationMethods: methods, thinking } = model;
  const generates = methods.includes('generateContent');
  const embeds = methods.includes('embedContent');
  if (!generates && !embeds) return null;
  const capabilities: Capabilities = {
    ...(generates && { text_input: 'yes', text_output: 'yes', streaming: 'yes' }),
    embeddings: embeds ? 'yes' : 'no',
    batch: methods.includes('batchGenerateContent') ? 'yes' : 'no',
    ...(generates && { prompt_caching: methods.includes('createCachedContent') ? 'yes' : 'no' }),
    ...(typeof thinking === 'boolean' && { extended_thinking: thinking ? 'yes' : 'no' }),
  };
  return {
    remoteId: model.name.replace(/^models\//, ''),
    name: model.displayName ?? model.name,
    contextSize: model.inputTokenLimit ?? null,
    maxOutputTokens: model.outputTokenLimit ?? null,
    capabilities,
    ownedBy: 'google',
    pricing: null,
  };
}

/** Google's Gemini API. */
export const google: Vendor = {
  kind: 'google',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  dialect,
  headers: (apiKey) => ({ 'x-goog-api-key': apiKey }),
  async connect(connection) {
    const { createGoogle } = await import('@ai-sdk/google');
    const sdk = createGoogle({ ...connection, apiKey: connection.apiKey ?? NO_KEY });
    return { languageModel: (id) => sdk.chat(id), embeddingModel: (id) => sdk.embeddingModel(id) };
  },
  ignores: ignoresNothing,
  listModels,
  pingPath: '/models?pageSize=1',
  detectors: [],
};
