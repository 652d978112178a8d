import { RoundhouseError } from '../../shared/errors.ts';
import type { ProviderSettings } from '../config/settings.ts';
import { Named } from './named.ts';
import { likelyName } from './nearest.ts';
import { type Hold, SharedInstance } from './shared-instance.ts';

/**
 * The providers, by name and alias. One is made when it is first used, and then shared. A provider that is replaced or
 * taken out while requests use it lives until the last of them has ended; who comes later gets the new one.
 */
export class ProviderRegistry<Instance extends Disposable> implements Disposable {
  readonly #make: (settings: ProviderSettings) => Promise<Instance>;
  readonly #named = new Named<ProviderSettings>({
    what: 'provider',
    keyOf: ({ name }) => name,
    aliasesOf: ({ aliases }) => aliases,
    placeOf: ({ name, kind, baseUrl }) => `${name}, ${baseUrl ?? kind}`,
  });
  /** Those that were used since they were registered. */
  readonly #instances = new Map<string, SharedInstance<Instance>>();

  constructor(make: (settings: ProviderSettings) => Promise<Instance>) {
    this.#make = make;
  }

  get all(): readonly ProviderSettings[] {
    return this.#named.all;
  }

  /** By name or alias. */
  find(name: string): ProviderSettings | null {
    return this.#named.find(name);
  }

  /** The name or alias that a wrong one was surely meant to be. */
  likely(wrong: string): string | null {
    return likelyName(wrong, this.#named.names());
  }

  /** True for one that was registered at run time, and is in no file. */
  isRegistered(name: string): boolean {
    return this.#named.isRegistered(name);
  }

  /** How many use it now. */
  users(name: string): number {
    return this.#instances.get(name)?.users ?? 0;
  }

  /** @throws RoundhouseError `conflict` when one of its names is taken */
  register(settings: ProviderSettings): void {
    this.#named.register(settings);
  }

  /** @throws RoundhouseError `conflict`, as `Named.replace` */
  replace(settings: ProviderSettings): void {
    this.#named.replace(settings);
    this.#retire(settings.name);
  }

  /** @throws RoundhouseError `not_found`, `conflict`, as `Named.unregister` */
  unregister(name: string): void {
    this.#retire(this.#named.unregister(name).name);
  }

  /** Puts the providers of a configuration in force; those that stay as they are are not made anew. */
  configure(providers: readonly ProviderSettings[]): readonly ProviderSettings[] {
    const before = new Map(this.all.map((settings) => [settings.name, JSON.stringify(settings)]));
    const gone = this.#named.configure(providers);
    for (const [name, settings] of before) {
      if (JSON.stringify(this.#named.find(name)) !== settings) this.#retire(name);
    }
    return gone;
  }

  /** The next user gets a newly made one: what its settings do not show has changed, such as a key. */
  renew(name: string): void {
    this.#retire(name);
  }

  /**
   * Holds the provider until the hold is disposed, whatever is registered meanwhile.
   * @throws RoundhouseError `not_found`; what making it throws
   */
  async use(name: string): Promise<Hold<Instance>> {
    const settings = this.find(name);
    if (!settings) throw this.#notFound(name);
    let shared = this.#instances.get(settings.name);
    if (!shared) {
      shared = new SharedInstance(() => this.#make(settings));
      this.#instances.set(settings.name, shared);
    }
    return shared.use();
  }

  [Symbol.dispose](): void {
    for (const name of [...this.#instances.keys()]) this.#retire(name);
  }

  #retire(name: string): void {
    this.#instances.get(name)?.retire();
    this.#instances.delete(name);
  }

  #notFound(name: string): RoundhouseError {
    const near = this.likely(name);
    const hint = near === null ? 'add it under providers in models.yaml' : `did you mean "${near}"?`;
    return new RoundhouseError('not_found', `no provider is called "${name}"; ${hint}`);
  }
}
