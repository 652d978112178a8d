import { join } from 'node:path';
import { CAPABILITIES } from '../../shared/capabilities.ts';
import type { ModelsYaml } from '../../shared/config-schema.ts';
import type {
  CapabilityOverrides,
  EngineSettings,
  LocalModelSettings,
  ModelSettings,
  OptimizationNotes,
  RemoteModelSettings,
  SamplingDefaults,
} from './settings.ts';

type ModelEntry = ModelsYaml['models'][string];
type RemoteEntry = Extract<ModelEntry, { readonly provider: string }>;
type LocalEntry = Extract<ModelEntry, { readonly file: string }>;

/** What an entry's names and paths lead to. */
export interface ModelPlace {
  readonly defaults: ModelsYaml['defaults'];
  /** A path as models.yaml writes it, made absolute. */
  readonly pathOf: (path: string) => string;
  /** Folder of the shipped files. Absolute. */
  readonly resourcesDir: string;
  /** Names and aliases of providers → names. */
  readonly providers: ReadonlyMap<string, string>;
}

export const BUILTIN_DEMO = 'builtin:demo';

/** What one entry of `models` means. */
export function modelSettings(place: ModelPlace, id: string, model: ModelEntry): ModelSettings {
  return 'file' in model ? localModel(place, id, model) : remoteModel(place, id, model);
}

/** A model of which nothing is known but its file. */
export function foundModel(
  { defaults }: Pick<ModelPlace, 'defaults'>,
  id: string,
  name: string,
  path: string,
): LocalModelSettings {
  return {
    kind: 'local',
    id,
    name,
    aliases: [],
    ...NOTHING_SAID,
    source: { kind: 'file', path },
    pinned: false,
    preload: false,
    idleUnloadMs: defaults.idleUnload,
    engine: engineDefaults(defaults),
  };
}

export function engineDefaults({ idleUnload: _, ...engine }: ModelsYaml['defaults']): EngineSettings {
  return { ...engine, chatTemplateFile: null };
}

function localModel(place: ModelPlace, id: string, model: LocalEntry): LocalModelSettings {
  const { defaults, pathOf, resourcesDir } = place;
  return {
    kind: 'local',
    ...described(id, model),
    source:
      model.file === BUILTIN_DEMO
        ? { kind: 'builtin', path: join(resourcesDir, 'models', 'roundhouse-demo.gguf') }
        : { kind: 'file', path: pathOf(model.file) },
    pinned: model.pinned,
    preload: model.preload,
    idleUnloadMs: model.idleUnload === undefined ? defaults.idleUnload : model.idleUnload,
    engine: {
      ...engineDefaults(defaults),
      ...definedOf({
        contextSize: model.contextSize,
        parallel: model.parallel,
        batchSize: model.batchSize,
        flashAttention: model.flashAttention,
        cacheType: model.cacheType,
        threads: model.threads,
        gpuLayers: model.gpuLayers,
      }),
      chatTemplateFile: model.chatTemplate === undefined ? null : pathOf(model.chatTemplate),
    },
  };
}

function remoteModel({ providers }: ModelPlace, id: string, model: RemoteEntry): RemoteModelSettings {
  return {
    kind: 'remote',
    ...described(id, model),
    provider: providers.get(model.provider) ?? model.provider,
    remoteId: model.remoteId,
    contextSize: model.contextSize ?? null,
  };
}

function described(id: string, model: ModelEntry) {
  const { firstToken, tokensPerSecond } = model.latency;
  return {
    id,
    name: model.name ?? id,
    aliases: model.aliases,
    stage: model.stage ?? null,
    replacement: model.replacement ?? null,
    latency: { firstTokenMs: firstToken ?? null, tokensPerSecond: tokensPerSecond ?? null },
    capabilities: overridesOf(model.capabilities),
    optimization: model.optimization,
    systemPrompt: model.systemPrompt ?? null,
    sampling: { ...NO_SAMPLING_DEFAULTS, ...definedOf(model.sampling) },
  };
}

function overridesOf(flags: ModelEntry['capabilities']): CapabilityOverrides {
  const said = CAPABILITIES.filter((capability) => flags[capability] !== undefined);
  return Object.fromEntries(said.map((capability) => [capability, flags[capability] ? 'yes' : 'no']));
}

const NO_SAMPLING_DEFAULTS: SamplingDefaults = {
  temperature: null,
  topP: null,
  topK: null,
  minP: null,
  repeatPenalty: null,
};

const NO_NOTES: OptimizationNotes = { recommendedFor: [], bestPractices: [], tips: [], pitfalls: [] };

/** What models.yaml says of a model that it does not name. */
export const NOTHING_SAID = {
  stage: null,
  replacement: null,
  latency: { firstTokenMs: null, tokensPerSecond: null },
  capabilities: {},
  optimization: NO_NOTES,
  systemPrompt: null,
  sampling: NO_SAMPLING_DEFAULTS,
} as const;

function definedOf<Values extends object>(
  values: Values,
): { [Key in keyof Values]?: Exclude<Values[Key], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  // The same keys less those without a value, which `Object.fromEntries` cannot say.
  return Object.fromEntries(entries) as { [Key in keyof Values]?: Exclude<Values[Key], undefined> };
}
