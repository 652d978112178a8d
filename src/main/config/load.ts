import { dirname, join, resolve } from 'node:path';
import { type ModelsYaml, modelsJsonSchema, modelsYamlSchema } from '../../shared/config-schema.ts';
import type { ConfigProblem } from '../../shared/contract.ts';
import { problemsOf } from '../yaml/issues.ts';
import { type Environment, readYaml, type YamlSource } from '../yaml/yaml-source.ts';
import { apiKeySettings } from './api-keys.ts';
import { checkConfig } from './checks.ts';
import { modelFileName, slugOf, uniqueId } from './model-ids.ts';
import { engineDefaults, type ModelPlace, modelOfFile, modelSettings } from './model-settings.ts';
import { layOutside, type Origin, type Overrides } from './outside.ts';
import { budgetSettings, providerNames, providerSettings } from './provider-settings.ts';
import { isLocal, type ModelSettings, type Settings } from './settings.ts';

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
  const providers = providerSettings(config, source, input.env);
  const place: ModelPlace = {
    defaults: config.defaults,
    pathOf: (path) => pathIn(input, path),
    resourcesDir: input.resourcesDir,
    providers: providerNames(providers),
  };
  const named = source.keysOf(['models']).flatMap((id) => {
    const model = config.models[id];
    return model ? [modelSettings(place, id, model)] : [];
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

  const { maxWait: maxWaitMs, apiKeys, ...server } = config.server;
  const { minResidency: minResidencyMs, keepPrefixCache: keepPrefixCacheBytes, ...memory } = config.memory;
  const models = [...named, ...found];
  const ids = new Map(
    models.flatMap((model) => [model.id, ...model.aliases].map((name) => [name, model.id])),
  );
  return {
    settings: {
      server: { ...server, maxWaitMs, apiKeys: apiKeys.map(apiKeySettings) },
      memory: { ...memory, minResidencyMs, keepPrefixCacheBytes },
      providers,
      models,
      tiers: source.keysOf(['tiers']).map((name) => ({
        name,
        models: [...new Set((config.tiers[name]?.models ?? []).map((member) => ids.get(member) ?? member))],
      })),
      defaults: engineDefaults(config.defaults),
      idleUnloadMs: config.defaults.idleUnload,
      routing: { default: config.routing.default ?? defaultRoute(config, models) },
      modelsFolders: parsed.modelsFolders,
      budgets: budgetSettings(config, { providers: place.providers, models: ids }),
      usageRetentionMs: config.usage.retention,
      logLevel: config.logging.level,
      logContent: config.logging.content,
    },
  };
}

/** `parseConfig` and `resolveSettings` in one, for a configuration without models folders. */
export function loadConfig(input: ConfigInput): { settings: Settings } | Problems {
  const result = parseConfig(input);
  return 'problems' in result ? result : resolveSettings(result.parsed, []);
}

/** Models of the folders that models.yaml does not name by their file; each gets an id of its own. */
function foundModels(
  parsed: ParsedConfig,
  foundFiles: readonly string[],
  named: readonly ModelSettings[],
): readonly ModelSettings[] {
  const files = new Set(named.filter(isLocal).map((model) => model.source.path));
  const taken = new Set(named.flatMap((model) => [model.id, ...model.aliases]));
  return foundFiles
    .filter((path) => !files.has(path))
    .map((path) => {
      const id = uniqueId(slugOf(modelFileName(path)), taken);
      taken.add(id);
      const { defaults } = parsed.config;
      const called = { id, name: modelFileName(path), aliases: [] };
      return modelOfFile(called, path, engineDefaults(defaults), defaults.idleUnload);
    });
}

/** What `auto` stands for where models.yaml does not say. */
export function defaultRoute(config: ModelsYaml, models: readonly ModelSettings[]): string {
  if (Object.hasOwn(config.tiers, 'default')) return 'tier:default';
  return models[0]?.id ?? 'tier:default';
}

function pathIn(input: ConfigInput, path: string): string {
  if (path === '~' || path.startsWith('~/')) return join(input.home, path.slice(1));
  return resolve(dirname(input.file), path);
}
