import { dirname, join, resolve } from 'node:path';
import { type ModelsYaml, modelsJsonSchema, modelsYamlSchema } from '../../shared/config-schema.ts';
import type { ConfigProblem } from '../../shared/contract.ts';
import { problemsOf } from '../yaml/issues.ts';
import { type Environment, readYaml, type YamlSource } from '../yaml/yaml-source.ts';
import { checkConfig } from './checks.ts';
import { modelFileName, slugOf, uniqueId } from './model-ids.ts';
import { layOutside, type Origin, type Overrides } from './outside.ts';
import type { EngineSettings, ModelSettings, SamplingDefaults, Settings } from './settings.ts';

export interface ConfigInput {
  /** Absolute path of models.yaml: shown in problems, and where relative paths start. */
  readonly file: string;
  readonly text: string;
  readonly env: Environment;
  readonly overrides: Overrides;
  /** What `~` stands for. Absolute. */
  readonly home: string;
  /** Folder of the shipped files. Absolute. */
  readonly resourcesDir: string;
  /** Memory of the machine, in bytes. Without it a budget is not held against it. */
  readonly machineBytes?: number;
}

export interface Problems {
  readonly problems: readonly ConfigProblem[];
}

/** A models.yaml whose values are all valid; what its names stand for is known once its folders have been looked at. */
export interface ParsedConfig {
  readonly input: ConfigInput;
  readonly config: ModelsYaml;
  readonly source: YamlSource;
  readonly origins: ReadonlyMap<string, Origin>;
  /** Absolute paths of the models folders, those of the command line included. */
  readonly modelsFolders: readonly string[];
}

/** The values of models.yaml with the environment and the command line over them, or everything wrong with them. */
export function parseConfig(input: ConfigInput): { parsed: ParsedConfig } | Problems {
  const read = readYaml(input.file, input.text, input.env);
  if ('problems' in read) return read;
  const result = modelsYamlSchema.safeParse(read.source.value);
  if (!result.success) {
    const checked = { file: input.file, source: read.source, jsonSchema: modelsJsonSchema };
    return { problems: problemsOf(checked, result.error.issues) };
  }
  const { config, origins, problems } = layOutside(result.data, input.env, input.overrides);
  if (problems.length > 0) return { problems };
  const folders = [
    ...config.modelsFolders.map((folder) => pathIn(input, folder)),
    ...input.overrides.modelsFolders,
  ];
  return { parsed: { input, config, source: read.source, origins, modelsFolders: [...new Set(folders)] } };
}

/**
 * The settings in force.
 * @param foundFiles absolute paths of the GGUF files in the models folders, sorted; those that models.yaml names itself
 *   are passed over
 */
export function resolveSettings(
  parsed: ParsedConfig,
  foundFiles: readonly string[],
): { settings: Settings } | Problems {
  const { config, source, input } = parsed;
  const named = source.keysOf(['models']).flatMap((id) => {
    const model = config.models[id];
    return model ? [modelSettings(parsed, id, model)] : [];
  });
  const found = foundModels(parsed, foundFiles, named);

  const problems = checkConfig({
    file: input.file,
    config,
    source,
    origins: parsed.origins,
    foundIds: found.map((model) => model.id),
    machineBytes: input.machineBytes ?? null,
  });
  if (problems.length > 0) return { problems };

  const { maxWait: maxWaitMs, ...server } = config.server;
  const { minResidency: minResidencyMs, keepPrefixCache: keepPrefixCacheBytes, ...memory } = config.memory;
  const models = [...named, ...found];
  const ids = new Map(
    models.flatMap((model) => [model.id, ...model.aliases].map((name) => [name, model.id])),
  );
  return {
    settings: {
      server: { ...server, maxWaitMs },
      memory: { ...memory, minResidencyMs, keepPrefixCacheBytes },
      models,
      tiers: source.keysOf(['tiers']).map((name) => ({
        name,
        models: [...new Set((config.tiers[name]?.models ?? []).map((member) => ids.get(member) ?? member))],
      })),
      defaults: engineDefaults(config),
      routing: { default: config.routing.default ?? defaultRoute(config, models) },
      modelsFolders: parsed.modelsFolders,
      logLevel: config.logging.level,
    },
  };
}

/** `parseConfig` and `resolveSettings` in one, for a configuration without models folders. */
export function loadConfig(input: ConfigInput): { settings: Settings } | Problems {
  const result = parseConfig(input);
  return 'problems' in result ? result : resolveSettings(result.parsed, []);
}

type ModelEntry = ModelsYaml['models'][string];

function modelSettings(parsed: ParsedConfig, id: string, model: ModelEntry): ModelSettings {
  const { config, input } = parsed;
  const builtin = model.file === 'builtin:demo';
  return {
    id,
    name: model.name ?? id,
    aliases: model.aliases,
    source: builtin
      ? { kind: 'builtin', path: join(input.resourcesDir, 'models', 'roundhouse-demo.gguf') }
      : { kind: 'file', path: pathIn(input, model.file) },
    pinned: model.pinned,
    preload: model.preload,
    idleUnloadMs: model.idleUnload === undefined ? config.defaults.idleUnload : model.idleUnload,
    engine: {
      ...engineDefaults(config),
      ...definedOf({
        contextSize: model.contextSize,
        parallel: model.parallel,
        batchSize: model.batchSize,
        flashAttention: model.flashAttention,
        cacheType: model.cacheType,
        threads: model.threads,
        gpuLayers: model.gpuLayers,
      }),
      chatTemplateFile: model.chatTemplate === undefined ? null : pathIn(input, model.chatTemplate),
    },
    systemPrompt: model.systemPrompt ?? null,
    sampling: { ...NO_SAMPLING_DEFAULTS, ...definedOf(model.sampling) },
  };
}

const NO_SAMPLING_DEFAULTS: SamplingDefaults = {
  temperature: null,
  topP: null,
  topK: null,
  minP: null,
  repeatPenalty: null,
};

function engineDefaults(config: ModelsYaml): EngineSettings {
  const { idleUnload: _, ...engine } = config.defaults;
  return { ...engine, chatTemplateFile: null };
}

/** Models of the folders that models.yaml does not name by their file; each gets an id of its own. */
function foundModels(
  parsed: ParsedConfig,
  foundFiles: readonly string[],
  named: readonly ModelSettings[],
): readonly ModelSettings[] {
  const files = new Set(named.map((model) => model.source.path));
  const taken = new Set(named.flatMap((model) => [model.id, ...model.aliases]));
  return foundFiles
    .filter((path) => !files.has(path))
    .map((path) => {
      const id = uniqueId(slugOf(modelFileName(path)), taken);
      taken.add(id);
      return {
        id,
        name: modelFileName(path),
        aliases: [],
        source: { kind: 'file', path },
        pinned: false,
        preload: false,
        idleUnloadMs: parsed.config.defaults.idleUnload,
        engine: engineDefaults(parsed.config),
        systemPrompt: null,
        sampling: NO_SAMPLING_DEFAULTS,
      };
    });
}

function defaultRoute(config: ModelsYaml, models: readonly ModelSettings[]): string {
  if (Object.hasOwn(config.tiers, 'default')) return 'tier:default';
  return models[0]?.id ?? 'tier:default';
}

function pathIn(input: ConfigInput, path: string): string {
  if (path === '~' || path.startsWith('~/')) return join(input.home, path.slice(1));
  return resolve(dirname(input.file), path);
}

function definedOf<Values extends object>(
  values: Values,
): { [Key in keyof Values]?: Exclude<Values[Key], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  // The same keys less those without a value, which `Object.fromEntries` cannot say.
  return Object.fromEntries(entries) as { [Key in keyof Values]?: Exclude<Values[Key], undefined> };
}
