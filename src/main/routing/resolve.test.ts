import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settingsOf } from '../../../test/fakes/configs.ts';
import type { Capability } from '../../shared/capabilities.ts';
import { isName } from '../../shared/config-fields.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { ProviderRegistry } from '../registry/provider-registry.ts';
import { Registry } from '../registry/registry.ts';
import { type ModelKnowledge, type RouteFacts, resolveModel } from './resolve.ts';

const NOTHING_KNOWN: ModelKnowledge = {
  stage: 'production',
  replacement: null,
  retirementDate: null,
  capabilities: {},
};

/** Facts that say this of these models, and nothing of any other. */
function factsOf(
  unusable: readonly string[] = [],
  known: Readonly<Record<string, Partial<ModelKnowledge>>> = {},
): RouteFacts {
  return {
    isUnusable: (model) => unusable.includes(model.id),
    knowledgeOf: (model) => ({
      ...NOTHING_KNOWN,
      ...(Object.hasOwn(known, model.id) ? known[model.id] : {}),
    }),
  };
}

function registryOf(text: string): Registry {
  const settings = settingsOf(text);
  const providers = new ProviderRegistry(() => Promise.reject(new Error('nobody asks it')));
  providers.configure(settings.providers);
  const registry = new Registry(providers);
  registry.configure(settings);
  return registry;
}

const REGISTRY = registryOf(`
providers: { openai: { type: openai, aliases: [gpt] }, work: { type: openai-compatible, baseUrl: "http://x/v1" } }
models:
  demo: { file: a }
  llama: { file: b, aliases: [small, l3] }
  mistral: { file: c }
  sonnet: { provider: openai, remoteId: claude }
  own: { file: d }
  own/slashed: { file: e }
tiers: { low: { models: [demo] }, high: { models: [mistral, small, demo] }, far: { models: [gpt/o3, sonnet, demo] } }
routing: { default: tier:high }
`);

function errorOf(
  asked: string | null,
  facts = factsOf(),
  requires: readonly Capability[] = [],
  registry = REGISTRY,
): RoundhouseError {
  try {
    resolveModel(asked, registry, facts, requires);
  } catch (error) {
    if (error instanceof RoundhouseError) return error;
  }
  throw new Error(`${asked} was found`);
}

test('each form of a name, and why it gave what it gave', () => {
  const resolved = ['demo', 'small', 'tier:low', 'tier:high', 'auto', null].map((asked) =>
    resolveModel(asked, REGISTRY, factsOf()),
  );
  const high = { modelId: 'mistral', candidates: ['mistral', 'llama', 'demo'], warnings: [] };
  expect(resolved).toEqual([
    { asked: 'demo', modelId: 'demo', reason: 'demo', candidates: ['demo'], warnings: [] },
    {
      asked: 'small',
      modelId: 'llama',
      reason: 'small → llama (alias)',
      candidates: ['llama'],
      warnings: [],
    },
    {
      asked: 'tier:low',
      modelId: 'demo',
      reason: 'tier:low → demo (first of 1)',
      candidates: ['demo'],
      warnings: [],
    },
    { asked: 'tier:high', reason: 'tier:high → mistral (first of 3)', ...high },
    { asked: 'auto', reason: 'auto → tier:high → mistral (first of 3)', ...high },
    { asked: 'auto', reason: 'auto → tier:high → mistral (first of 3)', ...high },
  ]);
});

test('a model of a provider is named by the provider or one of its aliases; a name of ours comes first', () => {
  const resolve = (asked: string) => resolveModel(asked, REGISTRY, factsOf());
  expect(resolve('openai/gpt-4.1')).toMatchObject({ modelId: 'openai/gpt-4.1', reason: 'openai/gpt-4.1' });
  expect(resolve('gpt/gpt-4.1')).toMatchObject({
    modelId: 'openai/gpt-4.1',
    reason: 'gpt/gpt-4.1 → openai/gpt-4.1 (alias)',
  });
  expect(resolve('work/org/model:free').modelId).toBe('work/org/model:free');
  expect(resolve('own/slashed').modelId).toBe('own/slashed');
  expect(resolve('tier:far')).toMatchObject({
    modelId: 'openai/o3',
    candidates: ['openai/o3', 'sonnet', 'demo'],
  });
  for (const wrong of ['openai/', '/gpt-4.1', 'nobody/gpt-4.1'])
    expect(errorOf(wrong).code).toBe('model_not_found');
  expect(errorOf('opnai/gpt-4.1').message).toContain('nearest: openai/gpt-4.1,');
});

test('a retired model is refused with its replacement, a deprecated one answers with a warning', () => {
  const gone = factsOf([], {
    sonnet: { stage: 'retired', replacement: 'sonnet-5' },
    llama: { stage: 'retired' },
  });
  expect(errorOf('sonnet', gone)).toMatchObject({
    code: 'model_retired',
    param: 'model',
    message: 'sonnet is retired and does not answer any more; use sonnet-5 instead',
  });
  expect(errorOf('l3', gone).message).toMatch(/^llama is retired .*; choose another model, such as \w+$/);
  const old = factsOf([], {
    sonnet: { stage: 'deprecated', replacement: 'sonnet-5', retirementDate: '2027-01-31' },
    demo: { stage: 'deprecated' },
  });
  expect(resolveModel('sonnet', REGISTRY, old)).toMatchObject({
    reason: 'sonnet; deprecated',
    warnings: ['sonnet is deprecated and retires on 2027-01-31; use sonnet-5 instead.'],
  });
  expect(resolveModel('demo', REGISTRY, old).warnings).toEqual(['demo is deprecated; choose another model.']);
});

test('a model that no source knows is passed on, and said so', () => {
  expect(resolveModel('gpt/new', REGISTRY, factsOf([], { 'openai/new': { stage: null } }))).toMatchObject({
    modelId: 'openai/new',
    reason: 'gpt/new → openai/new (alias); nothing is known of it',
    warnings: ['Nothing is known of openai/new, not even its price; the request is passed on as it is.'],
  });
});

test('a model is held against what the request requires; what is unknown may be tried', () => {
  const facts = factsOf([], {
    demo: { capabilities: { image_input: 'no' } },
    sonnet: { capabilities: { image_input: 'yes' } },
    llama: { capabilities: { image_input: 'unknown' } },
  });
  expect(errorOf('demo', facts, ['function_calling', 'image_input'])).toMatchObject({
    code: 'capability_missing',
    param: 'model',
    message: 'demo lacks the capability image_input; ask for one that has it: sonnet',
  });
  expect(resolveModel('demo', REGISTRY, facts, ['function_calling']).modelId).toBe('demo');
  expect(resolveModel('llama', REGISTRY, facts, ['image_input']).modelId).toBe('llama');
  expect(errorOf('tier:low', facts, ['image_input']).message).toContain('each model of tier:low lacks');
});

test('a tier leaves out what is retired or cannot do it, and says so', () => {
  const facts = factsOf(['llama'], {
    mistral: { stage: 'retired' },
    'openai/o3': { capabilities: { image_input: 'no' } },
    sonnet: { capabilities: { image_input: 'no' } },
  });
  expect(resolveModel('tier:high', REGISTRY, facts)).toMatchObject({
    modelId: 'demo',
    reason: 'tier:high → demo (third of 3; mistral retired; llama cannot be used)',
    candidates: ['llama', 'demo'],
  });
  expect(resolveModel('tier:far', REGISTRY, facts, ['image_input'])).toMatchObject({
    reason: 'tier:far → demo (third of 3; openai/o3, sonnet without image_input)',
    candidates: ['demo'],
  });
  const allGone = factsOf([], { demo: { stage: 'retired', replacement: 'llama' } });
  expect(errorOf('tier:low', allGone).message).toContain('demo is retired');
});

test('a tier passes over models that cannot be used, and names its first when none can', () => {
  expect(resolveModel('tier:high', REGISTRY, factsOf(['mistral', 'llama'])).reason).toBe(
    'tier:high → demo (third of 3; mistral, llama cannot be used)',
  );
  expect(resolveModel('tier:low', REGISTRY, factsOf(['demo'])).reason).toBe(
    'tier:low → demo (first of 1; none can be used)',
  );
  expect(resolveModel('mistral', REGISTRY, factsOf(['mistral'])).modelId).toBe('mistral');
});

test('an unknown name is answered with the nearest ones', () => {
  expect(errorOf('lama')).toMatchObject({
    code: 'model_not_found',
    param: 'model',
    message: expect.stringMatching(
      /^no model or tier is called "lama"; nearest: llama, [\w:]+, [\w:]+; `GET \/v1\/models` lists all$/,
    ),
  });
  expect(errorOf('tier:lo').message).toContain('nearest: tier:low,');
  expect(errorOf('').message).toContain('no model or tier is called ""');
  expect(errorOf(null, factsOf(), [], registryOf('')).message).toContain('"tier:default"');
});

test('which tiers a model is in', () => {
  expect(REGISTRY.tiersOf('demo')).toEqual(['low', 'high', 'far']);
  expect(REGISTRY.tiersOf('openai/o3')).toEqual(['far']);
  expect(REGISTRY.tiersOf('llama')).toEqual(['high']);
  expect(REGISTRY.tiersOf('nobody')).toEqual([]);
});

/** Any registry that the configuration allows: names are unique, tiers name models. */
const anyRegistry = fc
  .uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(isName), {
    minLength: 2,
    maxLength: 12,
  })
  .chain((names) =>
    fc.record({
      models: fc.constant(
        names
          .filter((_, index) => index % 2 === 0)
          .map((id, index) => ({ id, aliases: names.slice(index * 2 + 1, index * 2 + 2) })),
      ),
      tiers: fc.dictionary(
        fc.constantFrom('low', 'high'),
        fc.subarray(
          names.filter((_, index) => index % 2 === 0),
          { minLength: 1 },
        ),
        { noNullPrototype: true },
      ),
      unusable: fc.subarray(names),
      asked: fc.oneof(fc.constantFrom(...names, 'auto', 'tier:low', 'tier:high', null), fc.string()),
    }),
  );

test('whatever is asked of whatever registry: a registered model, or model_not_found', () => {
  fc.assert(
    fc.property(anyRegistry, ({ models, tiers, unusable, asked }) => {
      const registry = registryOf(
        JSON.stringify({
          models: Object.fromEntries(models.map(({ id, aliases }) => [id, { file: 'x', aliases }])),
          tiers: Object.fromEntries(
            Object.entries(tiers).map(([name, members]) => [name, { models: members }]),
          ),
        }).replaceAll('${', '$${'),
      );
      try {
        const { modelId, candidates, reason } = resolveModel(asked, registry, factsOf(unusable));
        expect(registry.find(modelId)).not.toBeNull();
        expect(candidates).toContain(modelId);
        expect(reason).toContain(modelId);
        if (candidates.some((id) => !unusable.includes(id))) {
          expect(candidates.length > 1 && unusable.includes(modelId)).toBe(false);
        }
      } catch (error) {
        if (!(error instanceof RoundhouseError)) throw error;
        expect(error.code).toBe('model_not_found');
        expect(asked === null || registry.find(asked) === null).toBe(true);
      }
    }),
  );
});
