import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isName } from '../../shared/config-fields.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { loadConfig } from '../config/load.ts';
import { NO_OVERRIDES } from '../config/outside.ts';
import { Registry } from '../registry/registry.ts';
import { resolveModel } from './resolve.ts';

const NONE: ReadonlySet<string> = new Set();

function registryOf(text: string): Registry {
  const result = loadConfig({
    file: '/m.yaml',
    text,
    env: {},
    overrides: NO_OVERRIDES,
    home: '/h',
    resourcesDir: '/r',
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return new Registry(result.settings);
}

const REGISTRY = registryOf(`
models: { demo: { file: a }, llama: { file: b, aliases: [small, l3] }, mistral: { file: c } }
tiers: { low: { models: [demo] }, high: { models: [mistral, small, demo] } }
routing: { default: tier:high }
`);

function errorOf(asked: string | null, registry = REGISTRY): RoundhouseError {
  try {
    resolveModel(asked, registry, NONE);
  } catch (error) {
    if (error instanceof RoundhouseError) return error;
  }
  throw new Error(`${asked} was found`);
}

test('each form of a name, and why it gave what it gave', () => {
  const resolved = ['demo', 'small', 'tier:low', 'tier:high', 'auto', null].map((asked) =>
    resolveModel(asked, REGISTRY, NONE),
  );
  expect(resolved).toEqual([
    { asked: 'demo', modelId: 'demo', reason: 'demo', candidates: ['demo'] },
    { asked: 'small', modelId: 'llama', reason: 'small → llama (alias)', candidates: ['llama'] },
    { asked: 'tier:low', modelId: 'demo', reason: 'tier:low → demo (first of 1)', candidates: ['demo'] },
    {
      asked: 'tier:high',
      modelId: 'mistral',
      reason: 'tier:high → mistral (first of 3)',
      candidates: ['mistral', 'llama', 'demo'],
    },
    {
      asked: 'auto',
      modelId: 'mistral',
      reason: 'auto → tier:high → mistral (first of 3)',
      candidates: ['mistral', 'llama', 'demo'],
    },
    {
      asked: 'auto',
      modelId: 'mistral',
      reason: 'auto → tier:high → mistral (first of 3)',
      candidates: ['mistral', 'llama', 'demo'],
    },
  ]);
});

test('a tier passes over models that cannot be used, and names its first when none can', () => {
  expect(resolveModel('tier:high', REGISTRY, new Set(['mistral', 'llama'])).reason).toBe(
    'tier:high → demo (third of 3; mistral, llama cannot be used)',
  );
  expect(resolveModel('tier:low', REGISTRY, new Set(['demo'])).reason).toBe(
    'tier:low → demo (first of 1; none can be used)',
  );
  expect(resolveModel('mistral', REGISTRY, new Set(['mistral'])).modelId).toBe('mistral');
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
  expect(errorOf(null, registryOf('')).message).toContain('"tier:default"');
});

test('which tiers a model is in', () => {
  expect(REGISTRY.tiersOf('demo')).toEqual(['low', 'high']);
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
        const { modelId, candidates, reason } = resolveModel(asked, registry, new Set(unusable));
        expect(registry.get(modelId)).not.toBeNull();
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
