import { modelsJsonSchema } from '../../shared/config-schema.ts';
import type { ExplainedKey, ExplainedLayer } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { KEY_VARIABLES } from '../../shared/provider-kinds.ts';
import type { CatalogModel } from '../catalog/model.ts';
import { likelyName } from '../registry/nearest.ts';
import { showPath } from '../yaml/issues.ts';
import { type KeyTree, keysOf, treesAt } from '../yaml/schema-tree.ts';
import type { KeyPath } from '../yaml/yaml-source.ts';
import { hideKeys } from './hide-keys.ts';
import { parseKeyPath } from './key-path.ts';
import { defaultRoute, type ParsedConfig } from './load.ts';
import { outsideLayers } from './outside.ts';
import type { ModelSettings, Settings } from './settings.ts';

/*
 * Where the value of a key comes from. Each place that says something of it is a layer, the highest first: the command
 * line, the environment, models.yaml, the catalog, the defaults.
 */

export interface ExplainInput {
  readonly parsed: ParsedConfig;
  readonly settings: Settings;
  /** What the catalog has of a provider's model. */
  catalogModel(model: ModelSettings): CatalogModel | null;
  /** Where a key of the provider is kept besides models.yaml and the environment; `null` when none is. */
  keyKeptIn(provider: string): string | null;
}

/**
 * Explains a key, or every key below a section that something is said of.
 * @throws RoundhouseError `not_found` for what is no key, with the nearest one
 */
export function explainKey(input: ExplainInput, key: string): readonly ExplainedKey[] {
  const path = parseKeyPath(key, (above) => namesAt(input, above));
  if (path === null)
    throw new RoundhouseError('not_found', `"${key}" is not a key; write one as server.port`);
  const trees = treesOf(input, path);
  if (trees.length === 0 || !isThere(input, path)) throw unknown(input, path);
  const below = leavesBelow(input, path).map((leaf) => explained(input, leaf));
  // Asked for by itself a key that nothing sets is an answer; below a section it is none.
  return isLeaf(trees) ? below : below.filter(({ layers }) => layers.length > 0);
}

/** What may stand at a path; in an entry that can be of several kinds, what its own kind allows. */
function treesOf(input: ExplainInput, path: KeyPath): readonly KeyTree[] {
  // zod's JSON schemas are of this form.
  const root = modelsJsonSchema() as KeyTree;
  const [section, name, ...rest] = path;
  if ((section !== 'models' && section !== 'providers') || name === undefined) return treesAt(root, path);
  return treesAt(root, [section, name])
    .filter((tree) => isOfKind(input, section, String(name), tree))
    .flatMap((tree) => treesAt(tree, rest));
}

function isOfKind(
  { parsed, settings }: ExplainInput,
  section: 'models' | 'providers',
  name: string,
  tree: KeyTree,
): boolean {
  if (section === 'models') {
    const kind = settings.models.find(({ id }) => id === name)?.kind ?? 'local';
    return Object.hasOwn(tree.properties ?? {}, 'file') === (kind === 'local');
  }
  const type = parsed.config.providers[name]?.type;
  const allowed = tree.properties?.type;
  return type === undefined || allowed?.const === type || allowed?.enum?.includes(type) === true;
}

/** A list is explained as a whole. */
function isLeaf(trees: readonly KeyTree[]): boolean {
  return (
    keysOf(trees).flat().length === 0 && !trees.some((tree) => typeof tree.additionalProperties === 'object')
  );
}

function leavesBelow(input: ExplainInput, path: KeyPath): readonly KeyPath[] {
  const trees = treesOf(input, path);
  // What may be a list or a section is one value where the file has a list.
  if (isLeaf(trees) || Array.isArray(valueIn(input.parsed, path))) return [path];
  const keys = new Set([...keysOf(trees).flat(), ...namesAt(input, path)]);
  return [...keys].flatMap((key) => leavesBelow(input, [...path, key]));
}

/** Names of entries: of models also those that were found in a folder. */
function namesAt({ parsed, settings }: ExplainInput, path: KeyPath): readonly string[] {
  const [section] = path;
  if (path.length !== 1 || typeof section !== 'string') return [];
  if (section === 'models') return settings.models.map((model) => model.id);
  return section === 'providers' || section === 'tiers' ? parsed.source.keysOf(path) : [];
}

/** False for a path into an entry, or a list, that there is not. */
function isThere(input: ExplainInput, path: KeyPath): boolean {
  const [section, name] = path;
  if (section === 'models' || section === 'providers' || section === 'tiers') {
    return name === undefined || namesAt(input, [section]).includes(String(name));
  }
  const index = path.findIndex((step) => typeof step === 'number');
  return index === -1 || valueIn(input.parsed, path.slice(0, index + 1)) !== undefined;
}

function unknown(input: ExplainInput, path: KeyPath): RoundhouseError {
  const depth = path.findIndex((_, index) => {
    const upTo = path.slice(0, index + 1);
    return treesOf(input, upTo).length === 0 || !isThere(input, upTo);
  });
  const above = path.slice(0, depth);
  const known = [...keysOf(treesOf(input, above)).flat(), ...namesAt(input, above)];
  const near = likelyName(String(path[depth]), known);
  const hint = near === null ? '' : `; did you mean ${showPath([...above, near])}?`;
  return new RoundhouseError('not_found', `${showPath(path)} is no key of this configuration${hint}`);
}

function explained(input: ExplainInput, path: KeyPath): ExplainedKey {
  const layers = layersOf(input, path);
  return {
    key: showPath(path),
    layers: layers.map(({ value, from }) => ({ value: hideKeys(path, value), from })),
  };
}

function layersOf(input: ExplainInput, path: KeyPath): readonly ExplainedLayer[] {
  const { parsed } = input;
  const layers = [
    ...outsideLayers(path, parsed),
    ...fileLayer(parsed, path),
    ...entryLayers(input, path),
    ...defaultLayer(input, path),
  ];
  // `${OPENAI_API_KEY:-}` with nothing in it gives way to a key that is kept elsewhere.
  const [section, , key] = path;
  const given = layers.filter(({ value }) => value !== '');
  return section === 'providers' && key === 'apiKey' && given.length > 0 ? given : layers;
}

function fileLayer({ input: { file }, source }: ParsedConfig, path: KeyPath): readonly ExplainedLayer[] {
  const value = valueIn({ source }, path);
  if (value === undefined || value === null) return [];
  const line = source.lineOfKey(path);
  const variable = source.variableAt(path);
  const reading = variable === null ? '' : `, reading \${${variable}}`;
  return [{ value, from: `${file}${line === null ? '' : `:${line}`}${reading}` }];
}

/** What an entry of a model or a provider takes from elsewhere when models.yaml says nothing in it. */
function entryLayers(input: ExplainInput, path: KeyPath): readonly ExplainedLayer[] {
  const [section, name, key, ...rest] = path;
  if (typeof key !== 'string' || rest.length > 1) return [];
  if (section === 'providers') return key === 'apiKey' ? keyLayers(input, String(name)) : [];
  const model = section === 'models' ? input.settings.models.find(({ id }) => id === name) : undefined;
  if (!model) return [];
  if (model.kind === 'remote') return catalogLayer(input, model, [key, ...rest]);
  const found = input.parsed.config.models[model.id] === undefined;
  if (key === 'file') return found ? [{ value: model.source.path, from: 'found in a models folder' }] : [];
  const inDefaults = ['defaults', key];
  if (rest.length > 0 || treesOf(input, inDefaults).length === 0) return [];
  return layersOf(input, inDefaults).map(({ value, from }) => ({ value, from: `defaults.${key}: ${from}` }));
}

function keyLayers({ parsed, keyKeptIn }: ExplainInput, name: string): readonly ExplainedLayer[] {
  const provider = parsed.config.providers[name];
  if (!provider || 'latency' in provider) return [];
  const variable = KEY_VARIABLES[provider.type];
  const usual =
    variable !== null && provider.apiKey === undefined && provider.baseUrl === undefined
      ? parsed.input.env[variable]
      : undefined;
  const kept = keyKeptIn(name);
  return [
    ...(usual ? [{ value: usual, from: `environment ${variable}` }] : []),
    ...(kept === null ? [] : [{ value: null, from: kept }]),
  ];
}

function catalogLayer(input: ExplainInput, model: ModelSettings, key: KeyPath): readonly ExplainedLayer[] {
  const known = input.catalogModel(model);
  const value = known === null ? undefined : valueAt(written(known), key);
  if (known === null || value === undefined || value === null) return [];
  return [{ value, from: `catalog ${known.files.at(-1)}` }];
}

/** What the catalog says of a model, as models.yaml would say it. */
function written(model: CatalogModel): unknown {
  const said = Object.entries(model.capabilities).filter(([, support]) => support !== 'unknown');
  return {
    name: model.name,
    contextSize: model.contextTokens,
    stage: model.stage,
    replacement: model.deprecation?.replacement ?? undefined,
    capabilities: Object.fromEntries(said.map(([capability, support]) => [capability, support === 'yes'])),
    optimization: model.optimisation,
  };
}

function defaultLayer(input: ExplainInput, path: KeyPath): readonly ExplainedLayer[] {
  const [section, name, key] = path;
  if (section === 'routing' && name === 'default') {
    const { parsed, settings } = input;
    return [{ value: defaultRoute(parsed.config, settings.models), from: 'default' }];
  }
  if (section === 'models' && key === 'name' && path.length === 3)
    return [{ value: name, from: 'default: the id' }];
  const value = treesOf(input, path).find((tree) => tree.default !== undefined)?.default;
  return value === undefined ? [] : [{ value, from: 'default' }];
}

function valueIn({ source }: Pick<ParsedConfig, 'source'>, path: KeyPath): unknown {
  return valueAt(source.value, path);
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((found, step) => {
    const container: object = Object(found);
    return Object.hasOwn(container, step) ? Reflect.get(container, step) : undefined;
  }, value);
}
