import type { ModelSettings, Settings } from '../config/settings.ts';
import { nearestNames } from './nearest.ts';

/** The models of one configuration, by every name they answer to. Never changes: new settings make a new one. */
export class Registry {
  /** In the order of models.yaml, then those of the models folders. */
  readonly models: readonly ModelSettings[];
  /** The names of the tiers, without `tier:`, in the order of models.yaml. */
  readonly tiers: readonly string[];
  /** What `auto` stands for: an id, an alias or `tier:NAME`. */
  readonly defaultName: string;
  readonly #byId: ReadonlyMap<string, ModelSettings>;
  readonly #idOf: ReadonlyMap<string, string>;
  readonly #membersOf: ReadonlyMap<string, readonly string[]>;

  constructor(settings: Pick<Settings, 'models' | 'tiers' | 'routing'>) {
    this.models = settings.models;
    this.tiers = settings.tiers.map((tier) => tier.name);
    this.defaultName = settings.routing.default;
    this.#byId = new Map(settings.models.map((model) => [model.id, model]));
    this.#idOf = new Map(
      settings.models.flatMap((model) =>
        [model.id, ...model.aliases].map((name) => [name, model.id] as const),
      ),
    );
    this.#membersOf = new Map(settings.tiers.map((tier) => [tier.name, tier.models]));
  }

  get(id: string): ModelSettings | null {
    return this.#byId.get(id) ?? null;
  }

  /** The model that is called `name`, by its id or an alias. */
  find(name: string): ModelSettings | null {
    return this.get(this.#idOf.get(name) ?? name);
  }

  /** The ids of a tier's models, the preferred one first; `null` when there is no such tier. */
  membersOf(tier: string): readonly string[] | null {
    return this.#membersOf.get(tier) ?? null;
  }

  /** The tiers that a model is in, in the order of models.yaml. */
  tiersOf(id: string): readonly string[] {
    return this.tiers.filter((tier) => this.#membersOf.get(tier)?.includes(id));
  }

  /** Up to three names that `wrong` may have been meant to be: ids, aliases and `tier:NAME`. */
  nearest(wrong: string): readonly string[] {
    return nearestNames(wrong, [...this.#idOf.keys(), ...this.tiers.map((tier) => `tier:${tier}`)], 3);
  }
}
