import type { Clock } from '../shared/clock.ts';
import { type ErrorCode, RoundhouseError } from '../shared/errors.ts';
import type { GenerationRequest, StreamPart } from '../shared/generation.ts';
import type { KeyStateView, ProviderHealthView, ProviderView } from '../shared/provider-contract.ts';
import { Catalog } from './catalog/catalog.ts';
import type { LoadedCatalog } from './catalog/load.ts';
import { catalogFolderOf } from './catalog/lookup.ts';
import { type Secrets, secretNameOf } from './config/secrets.ts';
import type { ProviderSettings, RemoteModelSettings } from './config/settings.ts';
import type { Embeddings, EmbedOptions, Generation } from './providers/backend.ts';
import { completeRemoteRequest } from './providers/complete-request.ts';
import { createProvider, type ProviderPorts } from './providers/create-provider.ts';
import { type DetectionCache, type Discovered, discover } from './providers/models/discovery.ts';
import type { Provider, RemoteModel } from './providers/provider.ts';
import { ProviderRegistry } from './registry/provider-registry.ts';
import type { Environment } from './yaml/yaml-source.ts';

/** A provider's list of models is asked for again when it is older than this. */
const LIST_AGE_MS = 24 * 3600e3;

export interface RemoteRuntimeOptions {
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly env: Environment;
  readonly fetch: ProviderPorts['fetch'];
  /** Where this app listens; `null` while it does not. */
  readonly own: ProviderPorts['own'];
  readonly random: () => number;
  readonly detections: DetectionCache;
  readonly onDecision: (modelId: string | null, text: string) => void;
  /** What is shown may have changed. */
  readonly onChange: () => void;
}

/** Everything that serves models of providers: the providers themselves, what they said of their models, and the catalog. */
export class RemoteRuntime {
  readonly providers: ProviderRegistry<Provider>;
  readonly #options: RemoteRuntimeOptions;
  #loaded: LoadedCatalog = { catalog: new Catalog([]), problems: [] };
  readonly #health = new Map<string, ProviderHealthView>();
  readonly #found = new Map<string, Discovered>();
  /** Providers whose key is kept in the secrets. */
  #kept: ReadonlySet<string> = new Set();
  readonly #closing = new AbortController();

  constructor(options: RemoteRuntimeOptions) {
    const { clock, fetch, own, random } = options;
    this.#options = options;
    const ports: ProviderPorts = {
      clock,
      fetch,
      own,
      random,
      maxOutputTokens: (provider, remoteId) => this.#maxOutputTokens(provider, remoteId),
    };
    this.providers = new ProviderRegistry(async (settings) =>
      createProvider({ ...settings, apiKey: await this.#keyOf(settings) }, ports),
    );
  }

  get catalog(): Catalog {
    return this.#loaded.catalog;
  }

  get catalogProblems(): LoadedCatalog['problems'] {
    return this.#loaded.problems;
  }

  /** Puts a newly read catalog in force. */
  useCatalog(loaded: LoadedCatalog): void {
    this.#loaded = loaded;
    this.#options.onChange();
  }

  /** After the providers have changed: looks where their keys are, and asks for lists of models that are wanted. */
  async refresh(): Promise<void> {
    await this.#lookAtKeys();
    const wanted = this.providers.all.filter(({ discover: wants, name }) => wants && !this.#found.has(name));
    // Nobody waits for it: until a list is there the catalog says what is known.
    for (const { name } of wanted) void this.findModels(name, LIST_AGE_MS).catch(() => undefined);
    this.#options.onChange();
  }

  generate(model: RemoteModelSettings, request: GenerationRequest, signal: AbortSignal): Generation {
    let asked: Generation | null = null;
    const begun = (generation: Generation) => {
      asked = generation;
      return generation;
    };
    return {
      parts: this.#parts(model, request, signal, begun),
      timing: () => asked?.timing() ?? { waitMs: 0, loadMs: 0, backendMs: 0 },
    };
  }

  async embed(
    model: RemoteModelSettings,
    inputs: readonly string[],
    options: EmbedOptions,
    signal: AbortSignal,
  ): Promise<Embeddings> {
    using hold = await this.#use(model);
    try {
      const answer = await hold.instance.embed(model.remoteId, inputs, options, signal);
      this.#heard(model.provider, null);
      return answer;
    } catch (error) {
      this.#heard(model.provider, RoundhouseError.from(error));
      throw error;
    }
  }

  /** What a provider said of a model when it was last asked. */
  listed(provider: string, remoteId: string): RemoteModel | null {
    return this.#found.get(provider)?.models.find((model) => model.remoteId === remoteId) ?? null;
  }

  /** What a provider was last found to have; `null` before it was asked. */
  found(provider: string): Discovered | null {
    return this.#found.get(provider) ?? null;
  }

  /** Asks whether it would answer. @throws RoundhouseError `not_found` */
  async test(name: string): Promise<void> {
    using hold = await this.providers.use(name);
    this.#health.set(hold.instance.name, await hold.instance.health(this.#closing.signal));
    this.#options.onChange();
  }

  /**
   * The models that a provider has: by its own word, its word of before, or the catalog's.
   * @throws RoundhouseError `not_found`
   */
  async findModels(name: string, maxAgeMs: number): Promise<Discovered> {
    using hold = await this.providers.use(name);
    const { clock, detections: cache, onChange } = this.#options;
    const ports = { clock, cache, catalog: this.catalog };
    const [found] = await discover([hold.instance], ports, maxAgeMs, this.#closing.signal);
    if (!found) throw new Error(`${name} was asked for its models and has no answer`);
    // A catalog's list is no word of the provider.
    if (found.source !== 'catalog' && this.providers.find(found.provider))
      this.#found.set(found.provider, found);
    onChange();
    return found;
  }

  /** Keeps the key of a provider, or forgets it (`null`); requests from now on use it. */
  async setKey(provider: ProviderSettings, key: string | null): Promise<void> {
    const { secrets } = this.#options;
    const name = secretNameOf(provider);
    await (key === null ? secrets.delete(name) : secrets.set(name, key));
    this.providers.renew(provider.name);
    this.#health.delete(provider.name);
    await this.#lookAtKeys();
    this.#options.onChange();
  }

  /** What was known of a provider that is gone, or is another now. */
  forget(name: string): void {
    this.#health.delete(name);
    this.#found.delete(name);
  }

  /** Where a key is kept besides models.yaml and the environment; `null` when none is. */
  keyKeptIn(provider: string): string | null {
    return this.#kept.has(provider) ? this.#options.secrets.where : null;
  }

  /** @param modelsOf ids of the registered models of a provider */
  views(modelsOf: (provider: string) => readonly string[]): readonly ProviderView[] {
    return this.providers.all.map((settings): ProviderView => {
      const { name, kind, aliases, baseUrl, limits } = settings;
      const found = this.#found.get(name);
      const unused = (limit: number | null) => (limit === null ? null : { used: 0, limit });
      return {
        name,
        kind,
        aliases,
        baseUrl,
        key: this.#keyState(settings),
        health: this.#health.get(name) ?? NEVER_LOOKED,
        limits: this.providers.made(name)?.limits() ?? {
          requestsPerMinute: unused(limits.requestsPerMinute),
          tokensPerMinute: unused(limits.tokensPerMinute),
        },
        foundModels: found?.models.length ?? null,
        foundAtMs: found?.detectedAtMs ?? null,
        models: modelsOf(name),
      };
    });
  }

  close(): void {
    this.#closing.abort(new RoundhouseError('shutting_down', 'Roundhouse is shutting down.'));
    this.providers[Symbol.dispose]();
  }

  async *#parts(
    model: RemoteModelSettings,
    request: GenerationRequest,
    signal: AbortSignal,
    begun: (generation: Generation) => Generation,
  ): AsyncGenerator<StreamPart> {
    try {
      using hold = await this.#use(model);
      const complete = completeRemoteRequest(request, model);
      for await (const part of begun(hold.instance.generate(model.remoteId, complete, signal)).parts) {
        if (part.type === 'error') this.#heard(model.provider, RoundhouseError.fromJSON(part.error));
        if (part.type === 'finish') this.#heard(model.provider, null);
        yield part;
      }
    } catch (error) {
      yield { type: 'error', error: RoundhouseError.from(error).toJSON() };
    }
  }

  async #use(model: RemoteModelSettings) {
    if (this.providers.find(model.provider)) return this.providers.use(model.provider);
    throw new RoundhouseError(
      'model_not_found',
      `${model.id} runs at "${model.provider}", and no such provider is registered now; add it under providers in models.yaml`,
      { param: 'model' },
    );
  }

  /** An answer, or a failure, tells of a provider's health as well as asking for it does. */
  #heard(provider: string, error: RoundhouseError | null): void {
    const status = error === null ? 'ok' : HEALTH_AFTER[error.code];
    const before = this.#health.get(provider);
    if (status === undefined || (status === 'ok' && before?.status === 'ok')) return;
    const checkedAtMs = this.#options.clock.nowMs();
    this.#health.set(provider, { status, checkedAtMs, latencyMs: null, message: error?.message ?? null });
    this.#options.onChange();
  }

  async #keyOf(settings: ProviderSettings): Promise<string | null> {
    if (settings.apiKey !== null || settings.kind === 'mock') return settings.apiKey;
    return this.#options.secrets.get(secretNameOf(settings));
  }

  async #lookAtKeys(): Promise<void> {
    const { secrets, onDecision } = this.#options;
    const kept = new Set<string>();
    try {
      for (const provider of this.providers.all) {
        if (provider.kind === 'mock') continue;
        if ((await secrets.get(secretNameOf(provider))) !== null) kept.add(provider.name);
      }
    } catch (error) {
      onDecision(null, RoundhouseError.from(error).message);
    }
    this.#kept = kept;
  }

  #keyState(settings: ProviderSettings): KeyStateView {
    const { name, apiKey, apiKeyFrom, kind } = settings;
    if (apiKey !== null) {
      const fromVariable = apiKeyFrom !== null && this.#options.env[apiKeyFrom]?.trim() === apiKey;
      return { state: 'set', from: fromVariable ? `environment ${apiKeyFrom}` : 'models.yaml' };
    }
    const kept = this.keyKeptIn(name);
    if (kept !== null) return { state: 'set', from: kept };
    if (apiKeyFrom === null || kind === 'openai-compatible') return { state: 'not-needed' };
    return { state: 'missing', wanted: `set the environment variable ${apiKeyFrom}, or the key here` };
  }

  #maxOutputTokens(provider: string, remoteId: string): number | null {
    const settings = this.providers.find(provider);
    const listed = this.listed(provider, remoteId)?.maxOutputTokens ?? null;
    if (listed !== null || !settings) return listed;
    return this.catalog.get(catalogFolderOf(settings), remoteId)?.maxOutputTokens ?? null;
  }
}

const NEVER_LOOKED: ProviderHealthView = {
  status: 'unknown',
  checkedAtMs: null,
  latencyMs: null,
  message: null,
};

/** What an error of an answer says of the provider as a whole; others are the request's own. */
const HEALTH_AFTER: Partial<Record<ErrorCode, ProviderHealthView['status']>> = {
  provider_auth: 'auth',
  provider_rate_limited: 'limited',
  provider_error: 'down',
  provider_timeout: 'down',
};
