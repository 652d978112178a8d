import { type Document, isMap, isScalar, isSeq, parseDocument, YAMLMap } from 'yaml';
import { pricingSchema } from '../../src/main/catalog/pricing-schema.ts';
import { mergePrices, type PriceEntry } from './price-entry.ts';

const HEADER = ` Dollars for a million tokens. \`npm run catalog:update\` adds prices here, and never changes or removes one.
`;

/** A pricing file while prices are added to it; comments and what is written by hand stay. */
export class PricingText {
  readonly #document: Document;
  #changed = false;

  /** @param text of the file; empty for a new one */
  constructor(text: string) {
    this.#document = parseDocument(text === '' ? 'models: {}\n' : text);
    if (text === '') {
      this.#document.commentBefore = HEADER;
      const models = this.#document.get('models');
      if (isMap(models)) models.flow = false;
    }
    pricingSchema.parse(this.#document.toJS());
  }

  get changed(): boolean {
    return this.#changed;
  }

  /** The names of the models that have a price. */
  get refs(): readonly string[] {
    const models = this.#models();
    return models.items.map(({ key }) => String(isScalar(key) ? key.value : key));
  }

  /** Adds what is new of a model's prices. @returns lines that say what was new, and what is disputed */
  add(ref: string, seed: readonly PriceEntry[]): readonly string[] {
    const models = this.#models();
    const node = models.get(ref);
    const known: readonly PriceEntry[] = isSeq(node) ? node.toJS(this.#document) : [];
    const { entries, added, disputed } = mergePrices(known, seed);
    const lines = disputed.map((date) => `${ref}: the seed has another price from ${date} on; ours is kept`);
    if (added.length === 0) return lines;
    this.#changed = true;
    if (isSeq(node)) {
      for (const [index, entry] of entries.entries())
        if (!known.includes(entry)) node.items.splice(index, 0, this.#document.createNode(entry));
    } else {
      const pair = this.#document.createPair(ref, entries);
      const index = this.refs.findIndex((other) => other > ref);
      if (index < 0) models.items.push(pair);
      else models.items.splice(index, 0, pair);
    }
    const shown = ({ input, output }: PriceEntry) => `${input} in, ${output} out`;
    return [
      ...lines,
      ...added.map((date) => {
        const first = entries.find(({ effectiveDate }) => effectiveDate === date);
        return `${ref}: from ${date} on ${first ? shown(first) : ''}`;
      }),
    ];
  }

  toString(): string {
    return this.#document.toString({ lineWidth: 0, flowCollectionPadding: true });
  }

  #models(): YAMLMap {
    const models = this.#document.get('models');
    if (!(models instanceof YAMLMap)) throw new Error('a pricing file needs `models`');
    return models;
  }
}
