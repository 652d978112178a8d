import { z } from 'zod';
import type { DetectorName } from '../../../shared/detector-names.ts';
import type { Api } from '../api.ts';
import { mapLimited } from '../map-limited.ts';
import type { Capabilities, RemoteModel } from '../provider.ts';
import { capabilitiesOf, listedModel } from './listed-model.ts';

/** Requests of one detector at once: those that are asked are small servers. */
const CONCURRENCY = 4;

/** What a detector adds to what the list said. */
interface Found {
  readonly contextSize: number | null;
  readonly capabilities: Capabilities;
}

/**
 * What one kind of server tells of its models beyond its list, by id.
 * @throws whatever, where the server is another one: it then tells nothing
 */
type Detector = (
  api: Api,
  models: readonly RemoteModel[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<string, Found>>;

const DETECTORS: Readonly<Record<DetectorName, Detector>> = {
  ollama,
  'lm-studio': lmStudio,
  'llama-cpp': llamaCpp,
};

/** The models with what detectors found of them. A detector that fails finds nothing. */
export async function detected(
  names: readonly DetectorName[],
  api: Api,
  models: readonly RemoteModel[],
  signal: AbortSignal,
): Promise<readonly RemoteModel[]> {
  const none: ReadonlyMap<string, Found> = new Map();
  const all = await Promise.all(names.map((name) => DETECTORS[name](api, models, signal).catch(() => none)));
  signal.throwIfAborted();
  return models.map((model) =>
    all.reduce((known, found) => withFound(known, found.get(model.remoteId)), model),
  );
}

function withFound(model: RemoteModel, found: Found | undefined): RemoteModel {
  if (found === undefined) return model;
  return {
    ...model,
    // A list may have what the model could hold; this is what it was loaded with.
    contextSize: found.contextSize ?? model.contextSize,
    capabilities: { ...found.capabilities, ...model.capabilities },
  };
}

const showSchema = z.looseObject({
  capabilities: z.array(z.string()).catch([]),
  model_info: z.record(z.string(), z.unknown()).catch({}),
});

/** `POST /api/show` of each model, once `/api/version` has shown that it is Ollama. */
async function ollama(api: Api, models: readonly RemoteModel[], signal: AbortSignal) {
  z.looseObject({ version: z.string() }).parse(await api.getBeside('/api/version', signal));
  const found = await mapLimited(models, CONCURRENCY, async ({ remoteId }) => {
    const answer = await api.postBeside('/api/show', { model: remoteId }, signal).catch(() => null);
    const shown = showSchema.safeParse(answer).data;
    return [remoteId, shown === undefined ? NOTHING : ollamaModel(shown)] as const;
  });
  return new Map(found);
}

const NOTHING: Found = { contextSize: null, capabilities: {} };

function ollamaModel({ capabilities, model_info: info }: z.infer<typeof showSchema>): Found {
  // `llama.context_length`, by the model's architecture.
  const key = Object.keys(info).find((name) => name.endsWith('.context_length'));
  const size = key === undefined ? null : info[key];
  return {
    contextSize: typeof size === 'number' && Number.isSafeInteger(size) && size > 0 ? size : null,
    capabilities: capabilitiesOf(capabilities),
  };
}

/** Its own list, which tells what its OpenAI one leaves out. */
async function lmStudio(api: Api, _models: readonly RemoteModel[], signal: AbortSignal) {
  const { data } = z
    .looseObject({ data: z.array(z.unknown()) })
    .parse(await api.getBeside('/api/v0/models', signal));
  return new Map(data.flatMap((entry) => listedModel(entry) ?? []).map((model) => [model.remoteId, model]));
}

const propsSchema = z.looseObject({
  default_generation_settings: z.looseObject({ n_ctx: z.number().int().positive().nullish().catch(null) }),
  modalities: z.looseObject({ vision: z.boolean().optional(), audio: z.boolean().optional() }).catch({}),
  chat_template_caps: z.looseObject({ supports_tools: z.boolean().optional() }).catch({}),
});

/** `GET /props` speaks of the one model that the server runs. */
async function llamaCpp(api: Api, models: readonly RemoteModel[], signal: AbortSignal) {
  const [model, another] = models;
  if (model === undefined || another !== undefined) return new Map<string, Found>();
  const props = propsSchema.parse(await api.getBeside('/props', signal));
  const found: Found = {
    contextSize: props.default_generation_settings.n_ctx ?? null,
    capabilities: {
      ...(props.modalities.vision !== undefined && { image_input: yesOrNo(props.modalities.vision) }),
      ...(props.modalities.audio !== undefined && { audio_input: yesOrNo(props.modalities.audio) }),
      ...(props.chat_template_caps.supports_tools !== undefined && {
        function_calling: yesOrNo(props.chat_template_caps.supports_tools),
      }),
    },
  };
  return new Map([[model.remoteId, found]]);
}

function yesOrNo(value: boolean): 'yes' | 'no' {
  return value ? 'yes' : 'no';
}
