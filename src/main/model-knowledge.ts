import {
  CAPABILITIES,
  type Capability,
  type CapabilityMatrix,
  type Support,
} from '../shared/capabilities.ts';
import type { OptimizationNotesView, PriceView } from '../shared/provider-contract.ts';
import type { Catalog } from './catalog/catalog.ts';
import { catalogModelOf } from './catalog/lookup.ts';
import { type CatalogModel, stageAt } from './catalog/model.ts';
import type {
  LocalModelSettings,
  ModelSettings,
  ProviderSettings,
  RemoteModelSettings,
} from './config/settings.ts';
import type { RemoteModel } from './providers/provider.ts';
import type { ModelKnowledge } from './routing/resolve.ts';

/** Where it is looked up what models are and can do. */
export interface KnowledgeSources {
  readonly catalog: Catalog;
  provider(name: string): ProviderSettings | null;
  /** What a provider said of a model when it was last asked. */
  listed(provider: string, remoteId: string): RemoteModel | null;
  /** Whether a model has an entry of its own, and is not just named as `provider/model`. */
  hasEntry(id: string): boolean;
  readonly nowMs: number;
}

/** Everything known of one model. */
export interface KnownModel extends ModelKnowledge {
  readonly capabilities: CapabilityMatrix;
  readonly contextSize: number | null;
  readonly maxOutputTokens: number | null;
  readonly notes: OptimizationNotesView;
  readonly documentation: string | null;
  /** `null` where the catalog does not have it. */
  readonly catalogModel: CatalogModel | null;
}

/** Every source over the others: models.yaml, what the provider says, the catalog; of a local model, what engines can. */
export function knownOf(model: ModelSettings, sources: KnowledgeSources): KnownModel {
  return model.kind === 'local' ? knownLocal(model) : knownRemote(model, sources);
}

function knownRemote(model: RemoteModelSettings, sources: KnowledgeSources): KnownModel {
  const provider = sources.provider(model.provider);
  const known = provider === null ? null : catalogModelOf(sources.catalog, provider, model.remoteId);
  const listed = sources.listed(model.provider, model.remoteId);
  // What people wrote down, a provider named, or a mock makes up is known, whether the catalog has it or not.
  const vouched = sources.hasEntry(model.id) || listed !== null || provider?.kind === 'mock';
  return {
    stage:
      model.stage ??
      (known === null ? null : stageAt(known, sources.nowMs)) ??
      (vouched ? 'production' : null),
    replacement: model.replacement ?? replacementOf(known, model.provider),
    retirementDate: known?.deprecation?.retirementDate ?? null,
    capabilities: matrixOf(known?.capabilities, listed?.capabilities, model.capabilities),
    contextSize: model.contextSize ?? listed?.contextSize ?? known?.contextTokens ?? null,
    maxOutputTokens: listed?.maxOutputTokens ?? known?.maxOutputTokens ?? null,
    notes: notesOf(model, known),
    documentation: known?.documentation ?? null,
    catalogModel: known,
  };
}

/** As whoever asked has to write it. */
function replacementOf(known: CatalogModel | null, provider: string): string | null {
  const id = known?.deprecation?.replacement ?? null;
  return id === null ? null : `${provider}/${id}`;
}

/** What engines of this machine do with any model, and cannot do with any. */
const ENGINES: Readonly<Partial<Record<Capability, Support>>> = {
  text_input: 'yes',
  text_output: 'yes',
  streaming: 'yes',
  system_messages: 'yes',
  prompt_caching: 'yes',
  image_input: 'no',
  audio_input: 'no',
  video_input: 'no',
  document_input: 'no',
  image_output: 'no',
  function_calling: 'no',
  structured_output: 'no',
  json_mode: 'no',
  embeddings: 'no',
  rerank: 'no',
  batch: 'no',
};

function knownLocal(model: LocalModelSettings): KnownModel {
  return {
    stage: model.stage ?? 'production',
    replacement: model.replacement,
    retirementDate: null,
    capabilities: matrixOf(model.capabilities, ENGINES),
    contextSize: model.engine.contextSize,
    maxOutputTokens: null,
    notes: notesOf(model, null),
    documentation: null,
    catalogModel: null,
  };
}

/** The later of two that say something holds. */
function matrixOf(
  ...sources: readonly (Readonly<Partial<Record<Capability, Support>>> | undefined)[]
): CapabilityMatrix {
  const matrix: Record<string, Support> = {};
  for (const capability of CAPABILITIES) {
    const said = sources
      .flatMap((source) => source?.[capability] ?? [])
      .filter((support) => support !== 'unknown');
    matrix[capability] = said.at(-1) ?? 'unknown';
  }
  // Each capability has its entry.
  return matrix as CapabilityMatrix;
}

/** Each list from models.yaml, where that has something in it. */
function notesOf({ optimization: own }: ModelSettings, known: CatalogModel | null): OptimizationNotesView {
  const list = (key: keyof OptimizationNotesView) =>
    own[key].length > 0 ? own[key] : (known?.optimisation[key] ?? []);
  return {
    recommendedFor: list('recommendedFor'),
    bestPractices: list('bestPractices'),
    tips: list('tips'),
    pitfalls: list('pitfalls'),
  };
}

/** The price in force at a moment, of a short prompt. */
export function priceView(catalog: Catalog, model: CatalogModel | null, nowMs: number): PriceView | null {
  const price = model && catalog.priceOf(model, { promptTokens: 0 }, nowMs);
  if (!price) return null;
  return {
    inputNanoDollars: price.input,
    outputNanoDollars: price.output,
    cachedInputNanoDollars: price.cachedInput,
    cacheWriteNanoDollars: price.cacheWrite,
    effectiveDate: price.effectiveDate,
    source: price.source ?? price.id,
  };
}
