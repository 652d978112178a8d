import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CAPABILITIES, type Capability, SUPPORT } from '../../shared/capabilities.ts';
import { Catalog } from './catalog.ts';
import { complete } from './complete.ts';
import type { Definition } from './definition-schema.ts';
import { type CatalogModel, deprecationNotice, stageAt } from './model.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');

function modelOf(provider: string, definition: Definition): CatalogModel {
  return { ...complete(definition, 200_000), provider, prices: [], files: [`${definition.id}.yaml`] };
}

const said = fc.record(
  Object.fromEntries(CAPABILITIES.map((capability) => [capability, fc.constantFrom(...SUPPORT)])),
);
const names = fc.subarray<Capability>([...CAPABILITIES], { maxLength: 4 });

test('what is found can do all that is required, and the most of what is preferred first', () => {
  const models = fc.array(
    fc.record({ capabilities: said, stage: fc.constantFrom('production', 'deprecated') }),
    {
      maxLength: 30,
    },
  );
  let foundAny = 0;
  fc.assert(
    fc.property(models, names, names, (rows, required, preferred) => {
      const all = rows.map(({ capabilities, stage }, index) =>
        modelOf('acme', { id: `m${index}`, capabilities, stage: stage as 'production' | 'deprecated' }),
      );
      const found = new Catalog(all).find({ required, preferred, atMs: NOW_MS });
      const can = (model: CatalogModel, wanted: readonly Capability[]) =>
        wanted.filter((capability) => model.capabilities[capability] === 'yes').length;
      expect(new Set(found)).toEqual(
        new Set(all.filter((model) => can(model, required) === required.length)),
      );
      const ranks = found.map((model) => 2 * can(model, preferred) - (model.stage === 'deprecated' ? 1 : 0));
      expect(ranks).toEqual(ranks.toSorted((a, b) => b - a));
      if (found.length > 0 && required.length > 0) foundAny++;
    }),
  );
  expect(foundAny).toBeGreaterThan(5);
});

test('a query for nothing gives all but the retired', () => {
  const catalog = new Catalog([
    modelOf('acme', { id: 'b' }),
    modelOf('acme', { id: 'old', stage: 'deprecated' }),
    modelOf('acme', { id: 'gone', stage: 'retired' }),
    modelOf('acme', { id: 'ending', stage: 'deprecated', deprecation: { retirementDate: '2026-11-30' } }),
    modelOf('acme', { id: 'ended', stage: 'deprecated', deprecation: { retirementDate: '2026-11-21' } }),
    modelOf('acme', { id: 'a' }),
  ]);
  const ids = catalog.find({ required: [], preferred: [], atMs: NOW_MS }).map(({ id }) => id);
  expect(ids).toEqual(['a', 'b', 'ending', 'old']);
});

test('models are found by provider and id or alias, and by what several providers call theirs', () => {
  const gpt = modelOf('openai', { id: 'gpt-oss', aliases: ['oss'] });
  const same = modelOf('groq', { id: 'gpt-oss' });
  const routed = modelOf('openrouter', { id: 'openai/gpt-oss', aliases: ['oss'] });
  const catalog = new Catalog([gpt, same, routed]);
  expect(catalog.get('openai', 'oss')).toBe(gpt);
  expect(catalog.get('openrouter', 'openai/gpt-oss')).toBe(routed);
  expect(catalog.get('groq', 'oss')).toBeNull();
  expect(catalog.named('gpt-oss')).toEqual([same, gpt]);
  expect(catalog.named('oss')).toEqual([gpt, routed]);
  for (const name of ['', 'constructor', '__proto__']) expect(catalog.named(name)).toEqual([]);
  expect(catalog.models.map(({ provider }) => provider)).toEqual(['groq', 'openai', 'openrouter']);
});

test('where no price is known the cost is null, never zero', () => {
  const model = modelOf('acme', { id: 'm' });
  const usage = {
    promptTokens: 10,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    completionTokens: 10,
    reasoningTokens: 0,
  };
  const catalog = new Catalog([model]);
  expect(catalog.priceOf(model, usage, NOW_MS)).toBeNull();
  expect(catalog.cost(model, usage, NOW_MS)).toBeNull();
});

test('a deprecated model warns, names its replacement, and is retired from its day on', () => {
  const deprecation = { replacement: 'new', retirementDate: '2026-12-11' };
  const model = modelOf('acme', { id: 'old', stage: 'deprecated', deprecation });
  const lastMs = Date.parse('2026-12-10T23:59:59Z');
  const firstMs = Date.parse('2026-12-11T00:00:00Z');
  expect([stageAt(model, lastMs), stageAt(model, firstMs)]).toEqual(['deprecated', 'retired']);
  expect(deprecationNotice(model, lastMs)).toBe(
    'acme/old is deprecated and retires on 2026-12-11; use new instead',
  );
  expect(deprecationNotice(model, firstMs)).toBe('acme/old is retired since 2026-12-11; use new instead');
  expect(deprecationNotice(modelOf('acme', { id: 'm', stage: 'retired' }), NOW_MS)).toBe(
    'acme/m is retired; choose another model',
  );
  expect(deprecationNotice(modelOf('acme', { id: 'm' }), NOW_MS)).toBeNull();
});

test('what a definition does not say is unknown, but for what follows from its size', () => {
  const { capabilities } = complete({ id: 'm', capabilities: { code: 'yes' } }, 1_000_000);
  const { code, large_context, extra_large_context, ...others } = capabilities;
  expect([code, large_context, extra_large_context]).toEqual(['yes', 'yes', 'yes']);
  expect(new Set(Object.values(others))).toEqual(new Set(['unknown']));
  expect(complete({ id: 'm' }, 8192).capabilities.large_context).toBe('no');
  expect(
    complete({ id: 'm', capabilities: { large_context: 'unknown' } }, 8192).capabilities.large_context,
  ).toBe('unknown');
});
