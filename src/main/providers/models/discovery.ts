import type { Clock } from '../../../shared/clock.ts';
import { RoundhouseError } from '../../../shared/errors.ts';
import { catalogFolderOf } from '../../catalog/lookup.ts';
import type { CatalogModel } from '../../catalog/model.ts';
import { mapLimited } from '../map-limited.ts';
import type { Capabilities, Provider, RemoteModel } from '../provider.ts';

/** Providers that are asked at once. */
const CONCURRENCY = 4;

/** What a provider said of its models, and when. */
export interface Detection {
  /** Wall time. */
  readonly detectedAtMs: number;
  readonly models: readonly RemoteModel[];
}

/** Keeps detections over a restart. What it cannot read it does not have. */
export interface DetectionCache {
  read(provider: string): Promise<Detection | null>;
  write(provider: string, detection: Detection): Promise<void>;
}

/** What the catalog has to say; `Catalog` is one. */
export interface KnownModels {
  readonly models: readonly CatalogModel[];
  get(provider: string, remoteId: string): CatalogModel | null;
}

export interface DiscoveryPorts {
  readonly clock: Clock;
  readonly cache: DetectionCache;
  readonly catalog: KnownModels;
}

export interface Discovered {
  readonly provider: string;
  readonly models: readonly RemoteModel[];
  /** Who named the models: the provider now, the provider then, or the catalog. */
  readonly source: 'provider' | 'cache' | 'catalog';
  /** Wall time; `null` when it was the catalog. */
  readonly detectedAtMs: number | null;
  /** Why the provider did not say, for people; `null` when it did, or was not asked. */
  readonly problem: string | null;
}

/**
 * The models of several providers, in their order. Each is asked when what it last said is older than `maxAgeMs`; one that
 * does not answer is taken at its last word, else at the catalog's. What a provider leaves open the catalog fills in.
 * @throws the signal's reason
 */
export function discover(
  providers: readonly Provider[],
  ports: DiscoveryPorts,
  maxAgeMs: number,
  signal: AbortSignal,
): Promise<readonly Discovered[]> {
  return mapLimited(providers, CONCURRENCY, (provider) => discoverOne(provider, ports, maxAgeMs, signal));
}

async function discoverOne(
  provider: Provider,
  { clock, cache, catalog }: DiscoveryPorts,
  maxAgeMs: number,
  signal: AbortSignal,
): Promise<Discovered> {
  const known = await cache.read(provider.name);
  const named = (source: 'provider' | 'cache', detection: Detection, problem: string | null): Discovered => ({
    provider: provider.name,
    models: detection.models.map((model) =>
      withCatalog(model, catalog.get(catalogFolderOf(provider), model.remoteId)),
    ),
    source,
    detectedAtMs: detection.detectedAtMs,
    problem,
  });
  if (known !== null && isFresh(known, clock.nowMs(), maxAgeMs)) return named('cache', known, null);
  try {
    const detection = { detectedAtMs: clock.nowMs(), models: await provider.listModels(signal) };
    await cache.write(provider.name, detection);
    return named('provider', detection, null);
  } catch (error) {
    signal.throwIfAborted();
    const problem = RoundhouseError.from(error).message;
    if (known !== null) return named('cache', known, problem);
    const folder = catalogFolderOf(provider);
    const models = catalog.models.filter((model) => model.provider === folder).map(fromCatalog);
    return { provider: provider.name, models, source: 'catalog', detectedAtMs: null, problem };
  }
}

/** A detection from the future was made while the clock was wrong. */
function isFresh({ detectedAtMs }: Detection, nowMs: number, maxAgeMs: number): boolean {
  return detectedAtMs <= nowMs && nowMs - detectedAtMs < maxAgeMs;
}

function withCatalog(model: RemoteModel, known: CatalogModel | null): RemoteModel {
  if (known === null) return model;
  const own = fromCatalog(known);
  return {
    ...model,
    name: model.name === model.remoteId ? own.name : model.name,
    contextSize: model.contextSize ?? own.contextSize,
    maxOutputTokens: model.maxOutputTokens ?? own.maxOutputTokens,
    capabilities: { ...own.capabilities, ...model.capabilities },
  };
}

function fromCatalog({
  id,
  name,
  contextTokens,
  maxOutputTokens,
  capabilities,
  provider,
}: CatalogModel): RemoteModel {
  const said = Object.entries(capabilities).filter(([, support]) => support !== 'unknown');
  return {
    remoteId: id,
    name,
    contextSize: contextTokens,
    maxOutputTokens,
    // What is left of the matrix is what the catalog says.
    capabilities: Object.fromEntries(said) as Capabilities,
    ownedBy: provider,
    pricing: null,
  };
}
