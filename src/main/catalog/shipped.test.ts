import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CAPABILITIES, EXTRA_LARGE_CONTEXT_TOKENS, LARGE_CONTEXT_TOKENS } from '../../shared/capabilities.ts';
import { slugOf } from '../config/model-ids.ts';
import { type Definition, definitionSchema } from './definition-schema.ts';
import { type LoadedCatalog, loadCatalog } from './load.ts';
import { type CatalogModel, stageAt } from './model.ts';

/*
 * The shipped catalog has no gaps: whatever is said of a model has a source and a date, and what no source says is
 * `unknown` in so many words.
 */

const shippedDir = resolve('resources/catalog');
const TODAY = '2026-11-21';
const SOURCE = /^(https:\/\/[^\s:]+|@?[\w./-]+@\d[\w.-]*): (\w+(, \w+)*)$/;

let loaded: LoadedCatalog;
let rows: readonly { readonly model: CatalogModel; readonly written: Definition }[];

beforeAll(async () => {
  loaded = await loadCatalog({ shippedDir, userDir: resolve('resources/catalog/none') });
  rows = await Promise.all(
    loaded.catalog.models.map(async (model) => ({
      model,
      written: definitionSchema.parse(parse(await readFile(model.files[0] ?? '', 'utf8'))),
    })),
  );
});

const keyOf = ({ provider, id }: CatalogModel) => `${provider}/${id}`;

/** The models of which something does not hold, by name, so that a gap says where it is. */
const gaps = (holds: (model: CatalogModel, written: Definition) => boolean) =>
  rows.filter(({ model, written }) => !holds(model, written)).map(({ model }) => keyOf(model));

test('every file is right, every price and replacement that is named is there', () => {
  expect(loaded.problems).toEqual([]);
});

test('the five providers are there, with at least sixty models that answer today', () => {
  const alive = loaded.catalog.models.filter((model) => stageAt(model, Date.parse(TODAY)) !== 'retired');
  const providers = Map.groupBy(alive, ({ provider }) => provider);
  expect([...providers.keys()].sort()).toEqual(['anthropic', 'google', 'groq', 'openai', 'openrouter']);
  expect(alive.length).toBeGreaterThanOrEqual(60);
  expect(providers.get('openrouter')?.length).toBeGreaterThanOrEqual(30);
});

test('each has a context, a page, sources and the day on which they said so', () => {
  expect(gaps((_, { context }) => context?.in !== undefined)).toEqual([]);
  expect(gaps(({ documentation }) => documentation !== null)).toEqual([]);
  expect(gaps(({ sources }) => sources.length > 0 && sources.every((source) => SOURCE.test(source)))).toEqual(
    [],
  );
  expect(gaps(({ lastVerified }) => lastVerified !== null && lastVerified <= TODAY)).toEqual([]);
  expect(gaps((_, { stage, name }) => stage !== undefined && name !== undefined)).toEqual([]);
  // One file a model, named after it.
  expect(gaps(({ id, files }) => basename(files[0] ?? '') === `${slugOf(id)}.yaml`)).toEqual([]);
});

describe('capabilities', () => {
  test('each one is said to be yes, no or unknown', () => {
    const all = [...CAPABILITIES];
    expect(gaps((_, { capabilities }) => all.every((one) => capabilities?.[one] !== undefined))).toEqual([]);
  });

  test('each yes and no names the source that says so, but for what follows from the context', () => {
    const derived = new Set<string>(['large_context', 'extra_large_context']);
    expect(
      gaps(({ capabilities, sources }) => {
        const sourced = new Set(sources.flatMap((source) => SOURCE.exec(source)?.[2]?.split(', ') ?? []));
        return CAPABILITIES.every(
          (one) => capabilities[one] === 'unknown' || sourced.has(one) || derived.has(one),
        );
      }),
    ).toEqual([]);
    const yes = (tokens: number, context: number) => (context >= tokens ? 'yes' : 'no');
    expect(
      gaps(
        ({ capabilities, contextTokens }) =>
          capabilities.large_context === yes(LARGE_CONTEXT_TOKENS, contextTokens) &&
          capabilities.extra_large_context === yes(EXTRA_LARGE_CONTEXT_TOKENS, contextTokens),
      ),
    ).toEqual([]);
  });

  test('a source says something of every model', () => {
    expect(gaps(({ capabilities }) => Object.values(capabilities).includes('yes'))).toEqual([]);
  });
});

describe('prices', () => {
  const request = { promptTokens: 1000 };

  test('each model has one today, with its source; a retired one had one on its last day', () => {
    expect(
      gaps((model) => {
        const lastMs =
          model.stage === 'retired' ? (model.deprecation?.retirementMs ?? 0) - 1 : Date.parse(TODAY);
        const price = loaded.catalog.priceOf(model, request, lastMs);
        return price !== null && price.source !== null && price.effectiveDate <= TODAY;
      }),
    ).toEqual([]);
  });

  test('a condition never stands alone: beside it there is a price for every other request', () => {
    expect(
      gaps(({ prices }) =>
        prices.every((price) =>
          prices.some(
            ({ effectiveDate, conditions }) =>
              effectiveDate === price.effectiveDate &&
              Object.values(conditions).every((condition) => condition === null),
          ),
        ),
      ),
    ).toEqual([]);
  });

  test('none is there that no model refers to', async () => {
    const refs = new Set(
      loaded.catalog.models.map(({ provider, pricingRef }) => `${provider}/${pricingRef}`),
    );
    for (const provider of new Set(loaded.catalog.models.map((model) => model.provider))) {
      const pricing: { models: object } = parse(
        await readFile(resolve(shippedDir, 'pricing', `${provider}.yaml`), 'utf8'),
      );
      for (const ref of Object.keys(pricing.models)) expect(refs).toContain(`${provider}/${ref}`);
    }
  });

  test('some, by hand: dated changes, dearer long prompts, an introductory price', () => {
    const dollars = (provider: string, id: string, day: string, promptTokens: number) => {
      const model = loaded.catalog.get(provider, id);
      if (!model) throw new Error(`${id} is not shipped`);
      const usage = {
        promptTokens,
        cachedTokens: 0,
        cacheWriteTokens: 0,
        completionTokens: 0,
        reasoningTokens: 0,
      };
      const cost = loaded.catalog.cost(model, usage, Date.parse(day));
      return cost && cost.nanoDollars / 1e9;
    };
    expect(dollars('openai', 'gpt-5.6-sol', '2026-08-20', 100_000)).toBe(0.5);
    expect(dollars('openai', 'gpt-5.6-sol', '2026-08-21', 100_000)).toBe(0.4);
    expect(dollars('openai', 'gpt-5.6-sol', '2026-08-21', 272_000)).toBe(2.176);
    expect(dollars('anthropic', 'claude-opus-4-6', '2026-03-12', 300_000)).toBe(3);
    expect(dollars('anthropic', 'claude-opus-4-6', '2026-03-13', 300_000)).toBe(1.5);
    expect(dollars('google', 'gemini-3.8-flash', '2026-12-31', 1_000_000)).toBe(0.75);
    expect(dollars('google', 'gemini-3.8-flash', '2027-01-01', 1_000_000)).toBe(1.5);
    expect(dollars('google', 'gemma-4-31b-it', TODAY, 1_000_000)).toBe(0);
    expect(dollars('anthropic', 'claude-opus-5', '2026-07-23', 1000)).toBeNull();
  });
});

test('what retires says when, and a retired model what to use instead', () => {
  expect(
    gaps(
      ({ stage, deprecation }) =>
        stage !== 'retired' || (deprecation?.replacement && deprecation.retirementDate) != null,
    ),
  ).toEqual([]);
  expect(
    gaps(
      ({ stage, deprecation }) => (stage === 'deprecated' || stage === 'retired') === (deprecation !== null),
    ),
  ).toEqual([]);
});
