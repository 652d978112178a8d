import { NOTHING_SAID } from '../config/model-settings.ts';
import type { ModelSettings, ProviderSettings, RemoteModelSettings, Settings } from '../config/settings.ts';
import { Named } from './named.ts';
import { nearestNames } from './nearest.ts';

/** The providers as far as names need them. */
export interface ProviderNames {
  find(name: string): ProviderSettings | null;
  likely(wrong: string): string | null;
}

/**
 * The models by every name they answer to, and the tiers. Models come from the configuration, are registered at run
 * time, or are just named: `openai/gpt-4.1` is a model as soon as there is a provider `openai`.
 */
export class Registry {
  readonly #providers: ProviderNames;
  readonly #named = new Named<ModelSettings>({
    what: 'model',
    keyOf: ({ id }) => id,
    aliasesOf: ({ aliases }) => aliases,
    placeOf: (model) =>
      model.kind === 'local' ? model.source.path : `${model.provider}/${model.remoteId} under "${model.id}"`,
  });
  #tiers: Settings['tiers'] = [];
  #defaultName = '';

  constructor(providers: ProviderNames) {
    this.#providers = providers;
  }

  /** In the order of models.yaml, then those of the models folders, then those registered at run time. */
  get models(): readonly ModelSettings[] {
    return this.#named.all;
  }

  /** The names of the tiers, without `tier:`, in the order of models.yaml. */
  get tiers(): readonly string[] {
    return this.#tiers.map((tier) => tier.name);
  }

  /** What `auto` stands for: an id, an alias or `tier:NAME`. */
  get defaultName(): string {
    return this.#defaultName;
  }

  /**
   * Puts the models and tiers of a configuration in force.
   * @returns models registered at run time whose names are those of configured ones now; they are gone
   */
  configure({ models, tiers, routing }: Pick<Settings, 'models' | 'tiers' | 'routing'>) {
    this.#tiers = tiers;
    this.#defaultName = routing.default;
    return this.#named.configure(models);
  }

  /** @throws RoundhouseError `conflict` when one of its names is taken */
  register(model: ModelSettings): void {
    this.#named.register(model);
  }

  /** In the place of one with the same id, if there is one. @throws RoundhouseError `conflict`, as `Named.replace` */
  replace(model: ModelSettings): void {
    this.#named.replace(model);
  }

  /** @throws RoundhouseError `not_found`, `conflict`, as `Named.unregister` */
  unregister(name: string): void {
    this.#named.unregister(name);
  }

  isRegistered(id: string): boolean {
    return this.#named.isRegistered(id);
  }

  /** The model that is called `name`: by its id, an alias, or `provider/model`. */
  find(name: string): ModelSettings | null {
    return this.#named.find(name) ?? this.#ofProvider(name);
  }

  /** True when the model has an entry of its own, and is not just named as `provider/model`. */
  has(id: string): boolean {
    return this.#named.find(id) !== null;
  }

  /** The ids of a tier's models, the preferred one first; `null` when there is no such tier. */
  membersOf(tier: string): readonly string[] | null {
    const found = this.#tiers.find(({ name }) => name === tier);
    if (!found) return null;
    return [...new Set(found.models.flatMap((name) => this.find(name)?.id ?? []))];
  }

  /** The tiers that a model is in, in the order of models.yaml. */
  tiersOf(id: string): readonly string[] {
    return this.tiers.filter((tier) => this.membersOf(tier)?.includes(id));
  }

  /** Up to three names that `wrong` may have been meant to be: ids, aliases, `tier:NAME` and `provider/model`. */
  nearest(wrong: string): readonly string[] {
    const slash = wrong.indexOf('/');
    const provider = slash < 1 ? null : this.#providers.likely(wrong.slice(0, slash));
    const names = [...this.#named.names(), ...this.tiers.map((tier) => `tier:${tier}`)];
    return nearestNames(wrong, provider === null ? names : [...names, provider + wrong.slice(slash)], 3);
  }

  #ofProvider(name: string): RemoteModelSettings | null {
    const slash = name.indexOf('/');
    const remoteId = name.slice(slash + 1);
    if (slash < 1 || remoteId === '') return null;
    const provider = this.#providers.find(name.slice(0, slash));
    if (!provider) return null;
    const id = `${provider.name}/${remoteId}`;
    return {
      kind: 'remote',
      id,
      name: id,
      aliases: [],
      ...NOTHING_SAID,
      provider: provider.name,
      remoteId,
      contextSize: null,
    };
  }
}
