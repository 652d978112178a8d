import { Ajv } from 'ajv';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../shared/generation.ts';
import { sampleOf } from './sample.ts';

/** Schemas as people write them. */
const { schema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.record({ type: fc.constant('string'), minLength: fc.nat(9) }),
    fc.record({ type: fc.constant('integer'), minimum: fc.nat(9) }),
    fc.record({ type: fc.constant('number'), exclusiveMinimum: fc.nat(9) }),
    fc.record({ type: fc.constantFrom('boolean', 'null') }),
    fc.record({ enum: fc.uniqueArray(fc.constantFrom('a', 1, null), { minLength: 1, maxLength: 3 }) }),
    fc.record({ const: fc.constantFrom('a', 1, true) }),
    fc.record({ type: fc.constant(['string', 'null']) }),
    fc.record({ type: fc.constant('array'), items: tie('schema'), minItems: fc.nat(3) }),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
    fc.array(tie('schema'), { maxLength: 3 }).map((members) => ({
      type: 'object',
      properties: Object.fromEntries(members.map((member, index) => [`p${index}`, member])),
      required: members.map((_, index) => `p${index}`),
      additionalProperties: false,
    })),
  ) as fc.Arbitrary<JsonObject>,
}));

test('a sample is what its schema allows', () => {
  const ajv = new Ajv({ allowUnionTypes: true, strictTypes: false });
  fc.assert(
    fc.property(schema, (made) => {
      const validate = ajv.compile(made);
      expect(validate(sampleOf(made)), JSON.stringify([made, sampleOf(made)])).toBe(true);
    }),
  );
});

test('references are followed, and those that go round come to an end', () => {
  const person = {
    type: 'object',
    properties: { name: { type: 'string' }, friend: { $ref: '#/$defs/person' } },
  };
  const sample = sampleOf({ $ref: '#/$defs/person', $defs: { person } });
  expect(sample).toMatchObject({ name: 'text', friend: { name: 'text' } });
  expect(sampleOf({ $ref: '#/$defs/nobody' })).toEqual({});
});
