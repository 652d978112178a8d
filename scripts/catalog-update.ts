import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse, stringify } from 'yaml';
import { definitionSchema } from '../src/main/catalog/definition-schema.ts';
import { slugOf } from '../src/main/config/model-ids.ts';
import { CAPABILITIES } from '../src/shared/capabilities.ts';
import { PricingText } from './catalog/pricing-text.ts';
import { SEED_DATE, SEED_SOURCE, type SeedModel, seedModels } from './catalog/seed.ts';

/*
 * Brings the prices of the shipped catalog up to those of @pydantic/genai-prices, and prints what is new. Prices that
 * are there stay as history, and whatever is written by hand stays as it is; the same again changes nothing.
 *
 *   npm run catalog:update                            after a new version of the package (see scripts/catalog/seed.ts)
 *   npm run catalog:update -- --add openai/gpt-7      also ship this model; what it can do is unknown until you write it
 *   npm run catalog:update -- --list                  also name the models that the package has and we do not ship
 */

const { values } = parseArgs({
  options: {
    add: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
    dir: { type: 'string', default: resolve(import.meta.dirname, '../resources/catalog') },
  },
});

const modelsDir = join(values.dir, 'models');
for (const key of values.add) addDefinition(key);
const lines = readdirSync(modelsDir).sort().flatMap(updatePrices);
console.log(lines.length === 0 ? `Nothing is new in ${SEED_SOURCE}.` : lines.join('\n'));

function updatePrices(provider: string): readonly string[] {
  const file = join(values.dir, 'pricing', `${provider}.yaml`);
  const pricing = new PricingText(existsSync(file) ? readFileSync(file, 'utf8') : '');
  const seeds = new Map(seedModels(provider).map((seed) => [seed.id, seed]));
  const refs = pricingRefs(provider);
  const said = [...refs].sort().flatMap((ref) => {
    const prices = seeds.get(ref)?.prices;
    if (prices) return pricing.add(ref, prices);
    return pricing.refs.includes(ref) ? [] : [`${ref}: has no price, neither here nor in ${SEED_SOURCE}`];
  });
  if (pricing.changed) {
    mkdirSync(join(values.dir, 'pricing'), { recursive: true });
    writeFileSync(file, pricing.toString());
  }
  const others = [...seeds.keys()].filter((id) => !refs.has(id));
  return [
    ...said.map((line) => `${provider}/${line}`),
    ...(values.list ? [`${provider}: not shipped: ${others.join(', ')}`] : []),
  ];
}

function pricingRefs(provider: string): ReadonlySet<string> {
  const dir = join(modelsDir, provider);
  return new Set(
    readdirSync(dir).map((name) => {
      const { id, pricingRef } = definitionSchema.parse(parse(readFileSync(join(dir, name), 'utf8')));
      return pricingRef ?? id;
    }),
  );
}

function addDefinition(key: string): void {
  const slash = key.indexOf('/');
  const provider = key.slice(0, slash);
  const seed = seedModels(provider).find(({ id }) => id === key.slice(slash + 1));
  if (!seed) throw new Error(`${SEED_SOURCE} knows no model ${key}`);
  const file = join(modelsDir, provider, `${slugOf(seed.id)}.yaml`);
  if (existsSync(file)) throw new Error(`${file} is there already`);
  mkdirSync(join(modelsDir, provider), { recursive: true });
  writeFileSync(file, stringify(definitionOf(seed), { lineWidth: 0 }));
  console.log(`${key}: new; write what is known of it into ${file}`);
}

function definitionOf(seed: SeedModel) {
  if (seed.contextTokens === null) {
    throw new Error(
      `${SEED_SOURCE} does not say how much context ${seed.id} has; write its definition by hand`,
    );
  }
  return definitionSchema.parse({
    id: seed.id,
    name: seed.name ?? seed.id,
    context: { in: seed.contextTokens },
    ...(seed.deprecated ? { stage: 'deprecated' } : {}),
    capabilities: Object.fromEntries(CAPABILITIES.map((capability) => [capability, 'unknown'])),
    pricingRef: seed.id,
    sources: [SEED_SOURCE],
    lastVerified: SEED_DATE,
  });
}
