import { join, resolve } from 'node:path';
import { Catalog } from '../src/main/catalog/catalog.ts';
import { complete } from '../src/main/catalog/complete.ts';
import { loadCatalog } from '../src/main/catalog/load.ts';
import type { CatalogModel } from '../src/main/catalog/model.ts';
import type { PriceVersion, TokenUsage } from '../src/main/catalog/price.ts';
import { CAPABILITIES, type Capability, SUPPORT } from '../src/shared/capabilities.ts';
import { checkBound, median, printTable, quantile } from './figures.ts';
import { createRandom } from './trace/random.ts';

/*
 * How long looking up a model and a price takes when there are 10,000 models, each with six versions of its price.
 */

const MODELS = 10_000;
const PROVIDERS = 20;
const VERSIONS = 6;
const ROUNDS = 20_000;
/** A find looks at every model: fewer of them make a p99. */
const FINDS = 2000;
const BOUND_MS = 1;
const DAY_MS = 86_400_000;
const FIRST_MS = Date.parse('2026-01-01');

const random = createRandom(1);
const pick = <Value>(values: readonly Value[], fallback: Value): Value =>
  values[Math.floor(random() * values.length)] ?? fallback;
const capabilities = (count: number): readonly Capability[] =>
  Array.from({ length: count }, () => pick(CAPABILITIES, 'text_input'));

function priceVersion(name: string, index: number): PriceVersion {
  const effectiveMs = FIRST_MS + Math.floor(index / 2) * 60 * DAY_MS;
  const effectiveDate = new Date(effectiveMs).toISOString().slice(0, 10);
  return {
    id: `${name}@${effectiveDate}#${index}`,
    effectiveDate,
    effectiveMs,
    input: Math.round(random() * 1e10),
    output: Math.round(random() * 5e10),
    cachedInput: Math.round(random() * 1e9),
    cacheWrite: null,
    currency: 'USD',
    conditions: {
      context: index % 2 === 0 ? null : { above: 200_000, upTo: null },
      time: null,
      region: null,
      monthVolumeAbove: null,
    },
    notes: null,
    source: null,
  };
}

const models = Array.from({ length: MODELS }, (_, index): CatalogModel => {
  const provider = `provider-${index % PROVIDERS}`;
  const id = `org/model-${index}`;
  const said = Object.fromEntries(CAPABILITIES.map((capability) => [capability, pick(SUPPORT, 'unknown')]));
  return {
    ...complete({ id, aliases: [`model-${index}`], capabilities: said }, 200_000),
    provider,
    prices: Array.from({ length: VERSIONS }, (_, version) => priceVersion(`${provider}/${id}`, version)),
    files: [],
  };
});

const builtMs = performance.now();
const catalog = new Catalog(models);
const buildMs = performance.now() - builtMs;

let seen = 0;
function times(rounds: number, work: () => unknown): readonly number[] {
  const found: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    const answer = work();
    found.push(performance.now() - startMs);
    // So that nothing is done for an answer that nobody looks at.
    if (answer !== null) seen++;
  }
  return found;
}

const [anyModel] = models;
if (!anyModel) throw new Error('there are no models');
const anyIndex = () => Math.floor(random() * MODELS);
const usage = (): TokenUsage => ({
  promptTokens: Math.floor(random() * 400_000),
  cachedTokens: 1000,
  cacheWriteTokens: 0,
  completionTokens: Math.floor(random() * 4000),
  reasoningTokens: 0,
});
const atMs = () => FIRST_MS + random() * 365 * DAY_MS;

const work: readonly (readonly [name: string, rounds: number, once: () => unknown])[] = [
  [
    'by provider and id',
    ROUNDS,
    () => {
      const index = anyIndex();
      return catalog.get(`provider-${index % PROVIDERS}`, `org/model-${index}`);
    },
  ],
  ['by a name that is none', ROUNDS, () => catalog.named(`nothing-${anyIndex()}`)],
  ['by alias', ROUNDS, () => catalog.named(`model-${anyIndex()}`)],
  [
    'by capability',
    FINDS,
    () => catalog.find({ required: capabilities(2), preferred: capabilities(4), atMs: FIRST_MS }),
  ],
  [
    'all of them, by preference',
    FINDS,
    () => catalog.find({ required: [], preferred: capabilities(4), atMs: FIRST_MS }),
  ],
  ['price in force', ROUNDS, () => catalog.priceOf(pick(models, anyModel), usage(), atMs())],
  ['cost of a request', ROUNDS, () => catalog.cost(pick(models, anyModel), usage(), atMs())],
];

console.log(
  `${MODELS} models of ${PROVIDERS} providers, ${VERSIONS} price versions each; index built in ${buildMs.toFixed(0)} ms`,
);
const rows = work.map(([name, rounds, once]) => {
  times(Math.min(rounds, 500), once);
  return { name, rounds, measured: times(rounds, once) };
});
printTable(
  ['what', 'times', 'median µs', 'p99 µs', 'slowest µs'],
  rows.map(({ name, rounds, measured }) => [
    name,
    rounds,
    ...[median(measured), quantile(measured, 0.99), quantile(measured, 1)].map((ms) =>
      (ms * 1000).toFixed(1),
    ),
  ]),
);
if (seen === 0) throw new Error('nothing was found');

const root = resolve(import.meta.dirname, '..');
const startMs = performance.now();
const shipped = await loadCatalog({
  shippedDir: join(root, 'resources/catalog'),
  userDir: join(root, 'none'),
});
console.log(
  `the shipped ${shipped.catalog.models.length} models are read in ${(performance.now() - startMs).toFixed(0)} ms`,
);
for (const { name, measured } of rows)
  checkBound(`${name}, ms (p99)`, quantile(measured, 0.99), BOUND_MS, 'at most');
