import { expect, test } from 'vitest';
import { settingsOf } from '../../test/fakes/configs.ts';
import { CAPABILITIES, type Capability, type Support } from '../shared/capabilities.ts';
import { Catalog } from './catalog/catalog.ts';
import type { CatalogModel } from './catalog/model.ts';
import type { ModelSettings } from './config/settings.ts';
import { type KnowledgeSources, knownOf, priceView } from './model-knowledge.ts';

const NOW_MS = Date.UTC(2026, 10, 21);

function catalogModel(id: string, changes: Partial<CatalogModel> = {}): CatalogModel {
  const said: Partial<Record<Capability, Support>> = { image_input: 'yes', audio_input: 'no' };
  return {
    provider: 'openai',
    id,
    name: id.toUpperCase(),
    aliases: [],
    version: null,
    family: null,
    contextTokens: 1000,
    maxOutputTokens: 200,
    knowledgeCutoff: null,
    stage: 'production',
    deprecation: null,
    capabilities: Object.fromEntries(CAPABILITIES.map((name) => [name, said[name] ?? 'unknown'])) as Record<
      Capability,
      Support
    >,
    optimisation: { recommendedFor: ['all'], bestPractices: [], tips: ['a tip'], pitfalls: [] },
    pricingRef: null,
    prices: [],
    documentation: 'https://example.com/gpt',
    sources: [],
    lastVerified: null,
    files: [],
    ...changes,
  };
}

const SETTINGS = settingsOf(`
providers: { work: { type: openai }, mac: { type: openai-compatible, baseUrl: "http://mac/v1" }, mock: { type: mock } }
models:
  own: { provider: work, remoteId: gpt, capabilities: { audio_input: true }, optimization: { tips: [mine] } }
  named: { provider: work, remoteId: nobody-knows }
  old: { provider: work, remoteId: gpt-old }
  here: { file: /m/a.gguf, capabilities: { code: true, function_calling: true } }
`);
const CATALOG = new Catalog([
  catalogModel('gpt'),
  catalogModel('gpt-old', {
    stage: 'deprecated',
    deprecation: { replacement: 'gpt', retirementDate: '2026-11-21', retirementMs: NOW_MS },
  }),
]);

const sources = (changes: Partial<KnowledgeSources> = {}): KnowledgeSources => ({
  catalog: CATALOG,
  provider: (name) => SETTINGS.providers.find((provider) => provider.name === name) ?? null,
  listed: () => null,
  hasEntry: (id) => SETTINGS.models.some((model) => model.id === id),
  nowMs: NOW_MS,
  ...changes,
});

function settings(id: string): ModelSettings {
  const model = SETTINGS.models.find((candidate) => candidate.id === id);
  if (!model) throw new Error(`no ${id}`);
  return model;
}

function adHoc(provider: string, remoteId: string): ModelSettings {
  const [model] = settingsOf(
    `providers: { ${provider}: { type: mock } }\nmodels: { x: { provider: ${provider}, remoteId: ${remoteId} } }`,
  ).models;
  if (!model) throw new Error('no model');
  return { ...model, id: `${provider}/${remoteId}` };
}

test('models.yaml over what the provider says, that over the catalog', () => {
  expect(knownOf(settings('own'), sources())).toMatchObject({
    stage: 'production',
    contextSize: 1000,
    maxOutputTokens: 200,
    capabilities: { image_input: 'yes', audio_input: 'yes', code: 'unknown' },
    notes: { recommendedFor: ['all'], tips: ['mine'] },
    documentation: 'https://example.com/gpt',
  });
  const listed = {
    remoteId: 'gpt',
    name: 'gpt',
    contextSize: 500,
    maxOutputTokens: null,
    capabilities: { image_input: 'no', audio_input: 'no' },
    ownedBy: null,
    pricing: null,
  } as const;
  expect(knownOf(settings('own'), sources({ listed: () => listed }))).toMatchObject({
    contextSize: 500,
    maxOutputTokens: 200,
    capabilities: { image_input: 'no', audio_input: 'yes' },
  });
});

test('a deprecated model is retired from its day on, and its replacement is named as one has to ask for it', () => {
  expect(knownOf(settings('old'), sources({ nowMs: NOW_MS - 1 }))).toMatchObject({
    stage: 'deprecated',
    replacement: 'work/gpt',
    retirementDate: '2026-11-21',
  });
  expect(knownOf(settings('old'), sources()).stage).toBe('retired');
});

test('only a model that nobody vouches for is unknown', () => {
  const listed = { remoteId: 'x', name: 'x', contextSize: null, maxOutputTokens: null, capabilities: {} };
  const stage = (model: ModelSettings, changes: Partial<KnowledgeSources> = {}) =>
    knownOf(model, sources(changes)).stage;
  expect(stage(settings('named'))).toBe('production');
  expect(stage(adHoc('work', 'gpt'))).toBe('production');
  expect(stage(adHoc('work', 'new'))).toBeNull();
  expect(stage(adHoc('mac', 'x'))).toBeNull();
  expect(stage(adHoc('mac', 'x'), { listed: () => ({ ...listed, ownedBy: null, pricing: null }) })).toBe(
    'production',
  );
  expect(stage(adHoc('mock', 'x'))).toBe('production');
});

test('what engines cannot do no entry of models.yaml makes them do', () => {
  expect(knownOf(settings('here'), sources()).capabilities).toMatchObject({
    code: 'yes',
    text_input: 'yes',
    function_calling: 'no',
    image_input: 'no',
  });
});

test('the price in force now, and none where none is known', () => {
  const version = (effectiveDate: string, input: number) => ({
    id: `openai/gpt@${effectiveDate}`,
    effectiveDate,
    effectiveMs: Date.parse(effectiveDate),
    input,
    output: 2 * input,
    cachedInput: null,
    cacheWrite: null,
    currency: 'USD' as const,
    conditions: { context: null, time: null, region: null, monthVolumeAbove: null },
    notes: null,
    source: null,
  });
  const model = catalogModel('gpt', {
    prices: [version('2026-01-01', 1e9), version('2026-11-21', 2e9), version('2027-01-01', 3e9)],
  });
  expect(priceView(CATALOG, model, NOW_MS)).toEqual({
    inputNanoDollars: 2e9,
    outputNanoDollars: 4e9,
    cachedInputNanoDollars: null,
    cacheWriteNanoDollars: null,
    effectiveDate: '2026-11-21',
    source: 'openai/gpt@2026-11-21',
  });
  expect(priceView(CATALOG, catalogModel('gpt'), NOW_MS)).toBeNull();
  expect(priceView(CATALOG, null, NOW_MS)).toBeNull();
});
