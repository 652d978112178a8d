import { RoundhouseError } from '../../shared/errors.ts';

/** How the entries of one table are called, and what they are called in messages. */
export interface Naming<Entry> {
  /** `model`, `provider`. */
  readonly what: string;
  keyOf(entry: Entry): string;
  aliasesOf(entry: Entry): readonly string[];
  /** Where an entry comes from, as messages say it: a file, an address. */
  placeOf(entry: Entry): string;
}

/**
 * Entries under a key and aliases, each name once. Some come from the configuration and go with it; others are
 * registered at run time and stay until they are taken out. Every change is one synchronous step: who looks sees all of
 * it or nothing.
 */
export class Named<Entry> {
  readonly #naming: Naming<Entry>;
  /** By key: configured ones in their order, then the others as they came. */
  #entries = new Map<string, Entry>();
  /** Every name → key. */
  #keys = new Map<string, string>();
  readonly #registered = new Set<string>();
  /** `null` after a change. */
  #all: readonly Entry[] | null = null;

  constructor(naming: Naming<Entry>) {
    this.#naming = naming;
  }

  /** By its key or an alias. */
  find(name: string): Entry | null {
    const key = this.#keys.get(name);
    return key === undefined ? null : (this.#entries.get(key) ?? null);
  }

  get all(): readonly Entry[] {
    this.#all ??= [...this.#entries.values()];
    return this.#all;
  }

  /** Keys and aliases. */
  names(): readonly string[] {
    return [...this.#keys.keys()];
  }

  isRegistered(key: string): boolean {
    return this.#registered.has(key);
  }

  /** @throws RoundhouseError `conflict` when one of its names is taken */
  register(entry: Entry): void {
    this.#refuseTaken(entry, null);
    this.#put(entry);
    this.#registered.add(this.#naming.keyOf(entry));
  }

  /**
   * Puts an entry in the place of the one with its key, or anew where there is none.
   * @returns the one that was there
   * @throws RoundhouseError `conflict` when one of its names is another's, or its key the configuration's
   */
  replace(entry: Entry): Entry | null {
    const key = this.#naming.keyOf(entry);
    const before = this.#entries.get(key) ?? null;
    if (before !== null && !this.#registered.has(key)) throw this.#configured(key);
    this.#refuseTaken(entry, key);
    if (before !== null) this.#forgetNames(before);
    this.#put(entry);
    this.#registered.add(key);
    return before;
  }

  /**
   * @param name its key or an alias
   * @returns what was taken out
   * @throws RoundhouseError `not_found`; `conflict` for one that the configuration names
   */
  unregister(name: string): Entry {
    const entry = this.find(name);
    if (entry === null) {
      throw new RoundhouseError('not_found', `no ${this.#naming.what} is registered as "${name}"`);
    }
    const key = this.#naming.keyOf(entry);
    if (!this.#registered.has(key)) throw this.#configured(key);
    this.#forgetNames(entry);
    this.#all = null;
    this.#entries.delete(key);
    this.#registered.delete(key);
    return entry;
  }

  /**
   * Puts these in the place of all that came from the configuration before. Their names are theirs: what was registered
   * at run time under one of them goes.
   * @param entries whose names do not clash with each other
   * @returns what had to go
   */
  configure(entries: readonly Entry[]): readonly Entry[] {
    const registered = [...this.#registered].flatMap((key) => this.#entries.get(key) ?? []);
    this.#entries = new Map();
    this.#keys = new Map();
    this.#registered.clear();
    this.#all = null;
    for (const entry of entries) this.#put(entry);
    const gone: Entry[] = [];
    for (const entry of registered) {
      if (this.#takenBy(entry, null) !== null) {
        gone.push(entry);
        continue;
      }
      this.#put(entry);
      this.#registered.add(this.#naming.keyOf(entry));
    }
    return gone;
  }

  #put(entry: Entry): void {
    const key = this.#naming.keyOf(entry);
    this.#all = null;
    this.#entries.set(key, entry);
    for (const name of this.#namesOf(entry)) this.#keys.set(name, key);
  }

  #forgetNames(entry: Entry): void {
    for (const name of this.#namesOf(entry)) this.#keys.delete(name);
  }

  #namesOf(entry: Entry): readonly string[] {
    return [this.#naming.keyOf(entry), ...this.#naming.aliasesOf(entry)];
  }

  /** The first name of an entry that is another's. @param except key of the one that may have them */
  #takenBy(entry: Entry, except: string | null): { name: string; owner: string } | null {
    for (const name of this.#namesOf(entry)) {
      const owner = this.#keys.get(name);
      if (owner !== undefined && owner !== except) return { name, owner };
    }
    return null;
  }

  #refuseTaken(entry: Entry, except: string | null): void {
    const taken = this.#takenBy(entry, except);
    if (taken === null) return;
    const { what, placeOf } = this.#naming;
    const other = this.#entries.get(taken.owner);
    const whose =
      taken.name === taken.owner ? `a ${what} already` : `an alias of the ${what} "${taken.owner}" already`;
    const message =
      `"${taken.name}" is ${whose} (${other ? placeOf(other) : taken.owner}); ` +
      `give ${placeOf(entry)} another name, or take the other out`;
    throw new RoundhouseError('conflict', message);
  }

  #configured(key: string): RoundhouseError {
    return new RoundhouseError(
      'conflict',
      `the ${this.#naming.what} "${key}" stands in models.yaml; change it there`,
    );
  }
}
