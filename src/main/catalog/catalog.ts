import { CAPABILITIES, type Capability, type CapabilityMatrix } from '../../shared/capabilities.ts';
import { type CatalogModel, endMs } from './model.ts';
import { costOf, type PricedRequest, type PriceVersion, priceAt, type TokenUsage } from './price.ts';

export interface CapabilityQuery {
  /** Only models of which a source says that they can do all of these. */
  readonly required: readonly Capability[];
  /** Models that can do more of these come first. */
  readonly preferred: readonly Capability[];
  /** The moment at which the model is wanted: those retired by then are left out. */
  readonly atMs: number;
}

/** What a request cost, and which price said so. */
export interface Cost {
  readonly nanoDollars: number;
  readonly priceVersionId: string;
}

/**
 * The models that are known and what they cost. Never changes: a new look at the files makes a new one.
 * Every answer is found by index or in one pass over integers, so that it stays below a millisecond for 10,000 models.
 */
export class Catalog {
  /** By provider and id. */
  readonly models: readonly CatalogModel[];
  readonly #byKey = new Map<string, CatalogModel>();
  readonly #byName = new Map<string, CatalogModel[]>();
  /** Deprecated ones last: what is found is in this order wherever as much is met. */
  readonly #searched: readonly CatalogModel[];
  /** For each of `#searched`: one bit a capability, and the moment from which on it is retired. */
  readonly #can: Int32Array;
  readonly #endMs: Float64Array;

  /** @param models without two of one id or alias in the same provider */
  constructor(models: readonly CatalogModel[]) {
    this.models = models.toSorted((a, b) => compare(a.provider, b.provider) || compare(a.id, b.id));
    for (const model of this.models) {
      for (const name of [model.id, ...model.aliases]) {
        this.#byKey.set(keyOf(model.provider, name), model);
        const named = this.#byName.get(name);
        if (named) named.push(model);
        else this.#byName.set(name, [model]);
      }
    }
    const last = (model: CatalogModel) => (model.stage === 'deprecated' ? 1 : 0);
    this.#searched = this.models.toSorted((a, b) => last(a) - last(b));
    this.#can = Int32Array.from(this.#searched, (model) => bitsOf(yesOf(model.capabilities)));
    this.#endMs = Float64Array.from(this.#searched, endMs);
  }

  /** The model that a provider calls `name`, by its id or an alias. */
  get(provider: string, name: string): CatalogModel | null {
    return this.#byKey.get(keyOf(provider, name)) ?? null;
  }

  /** The models of this id or alias, one for each provider that has one. */
  named(name: string): readonly CatalogModel[] {
    return this.#byName.get(name) ?? [];
  }

  /** The models that can do all that is required, those that can do the most of what is preferred first. */
  find({ required, preferred, atMs }: CapabilityQuery): readonly CatalogModel[] {
    const must = bitsOf(required);
    const may = bitsOf(preferred);
    // A counting sort over integers: five times as quick as collecting the models by how much they meet.
    const [searched, abilities, ends] = [this.#searched, this.#can, this.#endMs];
    const found = new Int32Array(abilities.length);
    const met = new Uint8Array(abilities.length);
    const place = new Int32Array(CAPABILITIES.length + 1);
    let count = 0;
    for (let index = 0; index < found.length; index++) {
      const can = abilities[index] ?? 0;
      if ((can & must) !== must || atMs >= (ends[index] ?? 0)) continue;
      const bits = countBits(can & may);
      found[count] = index;
      met[count++] = bits;
      place[bits] = (place[bits] ?? 0) + 1;
    }
    // Where those begin that meet so many: behind all that meet more.
    for (let bits = place.length - 1, before = 0; bits >= 0; bits--) {
      const here = place[bits] ?? 0;
      place[bits] = before;
      before += here;
    }
    const models = new Array<CatalogModel>(count);
    for (let next = 0; next < count; next++) {
      const model = searched[found[next] ?? 0];
      const bits = met[next] ?? 0;
      const index = place[bits] ?? 0;
      place[bits] = index + 1;
      if (model) models[index] = model;
    }
    return models;
  }

  /** The price of a request at a moment; `null` where none is known. */
  priceOf(model: CatalogModel, request: PricedRequest, atMs: number): PriceVersion | null {
    return priceAt(model.prices, atMs, request);
  }

  /**
   * What a request cost at the price in force at that moment; `null`, never zero, where no price is known.
   * @throws RangeError above 9,007,199 dollars
   */
  cost(model: CatalogModel, usage: TokenUsage, atMs: number): Cost | null {
    const price = this.priceOf(model, usage, atMs);
    return price === null ? null : { nanoDollars: costOf(price, usage), priceVersionId: price.id };
  }
}

/** A provider's name has no `/`, so two different pairs never make one key. */
function keyOf(provider: string, name: string): string {
  return `${provider}/${name}`;
}

/** By code unit: the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function yesOf(capabilities: CapabilityMatrix): readonly Capability[] {
  return CAPABILITIES.filter((capability) => capabilities[capability] === 'yes');
}

function bitsOf(capabilities: readonly Capability[]): number {
  return capabilities.reduce((bits, capability) => bits | (1 << CAPABILITIES.indexOf(capability)), 0);
}

function countBits(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
