import { TypeValidationError } from '@ai-sdk/provider';
import { z } from 'zod';
import type { GenerationRequest } from '../../../shared/generation.ts';
import type { Api } from '../api.ts';
import type { Dialect } from '../call-options.ts';
import type { Capabilities, RemoteModel } from '../provider.ts';
import { NO_KEY, type Vendor } from './vendor.ts';

const dialect: Dialect = {
  systemFirst: true,
  callArguments: 'object',
  fetchesImages: true,
  // It has no mode for "some JSON": its SDK makes a tool of a schema where it must.
  anyObject: { type: 'object' },
  imageOptions: () => undefined,
  // A turn that thought can only be continued with its signed thoughts, which our callers have never seen.
  reasoning: ({ prompt, reasoningEffort }) =>
    prompt.kind === 'chat' && prompt.messages.at(-1)?.role === 'tool' ? null : reasoningEffort,
  options: ({ tools, responseFormat, user }: GenerationRequest) => ({
    anthropic: {
      ...(user !== null && { metadata: { userId: user } }),
      ...(tools !== null && tools.parallel !== null && { disableParallelToolUse: !tools.parallel }),
      ...(responseFormat?.type === 'json_object' && { structuredOutputMode: 'jsonTool' }),
    },
  }),
};

/** As its SDK's `ModelInfo` has it; older answers have no more than a name. */
const support = z.looseObject({ supported: z.boolean() }).nullish().catch(null);
const modelSchema = z.looseObject({
  id: z.string().min(1),
  display_name: z.string().min(1).nullish().catch(null),
  max_input_tokens: z.number().int().positive().nullish().catch(null),
  max_tokens: z.number().int().positive().nullish().catch(null),
  lifecycle: z.string().nullish().catch(null),
  capabilities: z
    .looseObject({
      batch: support,
      image_input: support,
      pdf_input: support,
      structured_outputs: support,
      thinking: support,
    })
    .nullish()
    .catch(null),
});
const pageSchema = z.looseObject({
  data: z.array(z.unknown()),
  has_more: z.boolean().catch(false),
  last_id: z.string().nullish().catch(null),
});

/** A list without end is a mistake of somebody's. */
const MAX_PAGES = 100;

async function listModels(api: Api, signal: AbortSignal): Promise<readonly RemoteModel[]> {
  const models: RemoteModel[] = [];
  let after = '';
  for (let page = 0; page < MAX_PAGES; page++) {
    const { data, has_more, last_id } = pageSchema.parse(await api.get(`/models?limit=1000${after}`, signal));
    models.push(...data.flatMap((entry) => readModel(entry) ?? []));
    if (!has_more || !last_id) break;
    after = `&after_id=${encodeURIComponent(last_id)}`;
  }
  return models;
}

function readModel(entry: unknown): RemoteModel | null {
  const model = modelSchema.safeParse(entry).data;
  if (model === undefined || model.lifecycle === 'retired') return null;
  return {
    remoteId: model.id,
    name: model.display_name ?? model.id,
    contextSize: model.max_input_tokens ?? null,
    maxOutputTokens: model.max_tokens ?? null,
    capabilities: capabilitiesOf(model.capabilities ?? {}),
    ownedBy: 'anthropic',
    pricing: null,
  };
}

function capabilitiesOf(said: Partial<Record<string, unknown>>): Capabilities {
  const says = (name: string) => support.parse(said[name])?.supported;
  const entries = [
    ['batch', says('batch')],
    ['image_input', says('image_input')],
    ['document_input', says('pdf_input')],
    ['structured_output', says('structured_outputs')],
    ['extended_thinking', says('thinking')],
  ] as const;
  return Object.fromEntries(
    entries.flatMap(([capability, supported]) =>
      supported === undefined ? [] : [[capability, supported ? 'yes' : 'no']],
    ),
  );
}

const EVENTS: ReadonlySet<string> = new Set([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
  'ping',
  'error',
]);

/** Its documentation says that there will be new ones, and that they are to be passed over. */
function isUnknownEvent(event: unknown): boolean {
  const type = z.looseObject({ type: z.string() }).safeParse(event).data?.type;
  return type !== undefined && !EVENTS.has(type);
}

/** Anthropic's messages. */
export const anthropic: Vendor = {
  kind: 'anthropic',
  baseUrl: 'https://api.anthropic.com/v1',
  dialect,
  headers: (apiKey) => ({ 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' }),
  async connect(connection) {
    const { createAnthropic } = await import('@ai-sdk/anthropic');
    const sdk = createAnthropic({ ...connection, apiKey: connection.apiKey ?? NO_KEY });
    return { languageModel: (id) => sdk.messages(id), embeddingModel: null };
  },
  ignores: (error) => TypeValidationError.isInstance(error) && isUnknownEvent(error.value),
  listModels,
  pingPath: '/models?limit=1',
  detectors: [],
};
