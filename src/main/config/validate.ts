import { access } from 'node:fs/promises';
import type { ConfigProblem } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { type CatalogFolders, type LoadedCatalog, loadCatalog } from '../catalog/load.ts';
import { catalogModelOf } from '../catalog/lookup.ts';
import { deprecationNotice, stageAt } from '../catalog/model.ts';
import { ProviderRegistry } from '../registry/provider-registry.ts';
import { Registry } from '../registry/registry.ts';
import { showPath } from '../yaml/issues.ts';
import type { KeyPath } from '../yaml/yaml-source.ts';
import { checkGgufFile } from './gguf-file.ts';
import { type ConfigPlace, type Good, readConfig } from './read-config.ts';
import { localModels, type ProviderSettings, type RemoteModelSettings } from './settings.ts';

/*
 * `roundhouse validate`: everything that can be found out about a models.yaml without serving it.
 */

export interface Finding extends ConfigProblem {
  /** Errors are what does not work; warnings what may not be meant. */
  readonly severity: 'error' | 'warning';
}

export interface ValidateInput {
  readonly place: ConfigPlace;
  readonly catalogFolders: CatalogFolders;
  /** Whether a key of this provider is kept besides models.yaml and the environment. */
  readonly hasKey: (provider: ProviderSettings) => Promise<boolean>;
  /** The moment at which deprecated models are looked at. */
  readonly nowMs: number;
}

export interface Validation {
  /** In the order of the file; those of other files last. */
  readonly findings: readonly Finding[];
  /** `null` when the file cannot be served as it is. */
  readonly good: Good | null;
}

export async function validateConfig(input: ValidateInput): Promise<Validation> {
  const [read, catalog] = await Promise.all([readConfig(input.place), loadCatalog(input.catalogFolders)]);
  const ofCatalog = catalog.problems.map((problem): Finding => ({ ...problem, severity: 'error' }));
  if ('problems' in read) {
    const problems = read.problems.map((problem): Finding => ({ ...problem, severity: 'error' }));
    return { findings: [...problems, ...ofCatalog], good: null };
  }
  const found = [
    ...(await missingFiles(input, read)),
    ...(await providersWithoutKeys(input, read)),
    ...remoteModels(input, read, catalog),
    ...modelsWithoutTier(input, read),
    ...read.scan.warnings.map(
      (message): Finding => ({ severity: 'warning', file: input.place.file, line: null, message }),
    ),
  ];
  return { findings: [...found.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)), ...ofCatalog], good: read };
}

type Check = (severity: Finding['severity'], path: KeyPath, message: string) => Finding;

function findingIn({ place }: ValidateInput, { parsed }: Good): Check {
  return (severity, path, message) => ({
    severity,
    file: place.file,
    line: parsed.source.lineOf(path),
    message: `${showPath(path)}: ${message}`,
  });
}

async function missingFiles(input: ValidateInput, good: Good): Promise<readonly Finding[]> {
  const finding = findingIn(input, good);
  const named = localModels(good.settings).filter(({ id }) => good.namedIds.has(id));
  const findings = await Promise.all(
    named.map(async ({ id, source, engine: { chatTemplateFile: template } }) => {
      const wrong = await checkGgufFile(source.path).then(
        () => null,
        (error: unknown) => RoundhouseError.from(error).message,
      );
      const noTemplate = template !== null && !(await isReadable(template));
      return [
        ...(wrong === null ? [] : [finding('error', ['models', id, 'file'], wrong)]),
        ...(noTemplate
          ? [finding('error', ['models', id, 'chatTemplate'], `${template} cannot be read; check the path`)]
          : []),
      ];
    }),
  );
  return findings.flat();
}

async function isReadable(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function providersWithoutKeys(input: ValidateInput, good: Good): Promise<readonly Finding[]> {
  const finding = findingIn(input, good);
  const without = await Promise.all(
    good.settings.providers.map(async (provider) => {
      const { name, apiKey, apiKeyFrom } = provider;
      if (apiKeyFrom === null || apiKey !== null || (await input.hasKey(provider))) return [];
      const message = `has no key; set the environment variable ${apiKeyFrom}, or the key in the interface`;
      return [finding('warning', ['providers', name], message)];
    }),
  );
  return without.flat();
}

/** Of models that providers run: those that nobody knows or that have no price, and those that are on their way out. */
function remoteModels(input: ValidateInput, good: Good, { catalog }: LoadedCatalog): readonly Finding[] {
  const finding = findingIn(input, good);
  const { settings } = good;
  return placesOfRemoteModels(good).flatMap(({ path, model }) => {
    const provider = settings.providers.find(({ name }) => name === model.provider);
    if (!provider || provider.kind === 'mock') return [];
    const known = catalogModelOf(catalog, provider, model.remoteId);
    const name = `${model.provider}/${model.remoteId}`;
    if (!known) {
      const message = `the catalog has no ${name}, so its cost is not known; check the name, or add it to the catalog`;
      // Servers of one's own have models that no catalog has.
      return provider.kind === 'openai-compatible' ? [] : [finding('warning', path, message)];
    }
    const notice = model.stage === null ? deprecationNotice(known, input.nowMs) : null;
    const retired = stageAt(known, input.nowMs) === 'retired';
    const price = catalog.priceOf(known, { promptTokens: 0 }, input.nowMs);
    return [
      ...(notice === null ? [] : [finding(retired ? 'error' : 'warning', path, notice)]),
      ...(price === null
        ? [finding('warning', path, `no price of ${name} is known, so its cost is not counted`)]
        : []),
    ];
  });
}

/** Each model of a provider once: where its entry is, else where a tier first names it. */
function placesOfRemoteModels(good: Good): readonly { path: KeyPath; model: RemoteModelSettings }[] {
  const { settings, parsed } = good;
  const registry = registryOf(good);
  const places = new Map<string, { path: KeyPath; model: RemoteModelSettings }>();
  for (const model of settings.models) {
    if (model.kind === 'remote') places.set(model.id, { path: ['models', model.id, 'remoteId'], model });
  }
  for (const tier of parsed.source.keysOf(['tiers'])) {
    for (const [index, name] of (parsed.config.tiers[tier]?.models ?? []).entries()) {
      const model = registry.find(name);
      if (model?.kind !== 'remote' || places.has(model.id)) continue;
      places.set(model.id, { path: ['tiers', tier, 'models', index], model });
    }
  }
  return [...places.values()];
}

function registryOf({ settings }: Good): Registry {
  // Names alone: nobody is asked.
  const providers = new ProviderRegistry(() => Promise.reject(new Error('validating asks no provider')));
  providers.configure(settings.providers);
  const registry = new Registry(providers);
  registry.configure(settings);
  return registry;
}

function modelsWithoutTier(input: ValidateInput, good: Good): readonly Finding[] {
  const finding = findingIn(input, good);
  const registry = registryOf(good);
  if (registry.tiers.length === 0) return [];
  const fallback = registry.find(registry.defaultName)?.id;
  return good.settings.models
    .filter(({ id }) => good.namedIds.has(id) && id !== fallback && registry.tiersOf(id).length === 0)
    .map(({ id }) =>
      finding('warning', ['models', id], `no tier names it; programs get it only by asking for "${id}"`),
    );
}
