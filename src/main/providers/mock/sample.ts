import type { JsonObject, JsonValue } from '../../../shared/generation.ts';

/** Deeper schemas refer to themselves. */
const MAX_DEPTH = 16;

/**
 * A value that a JSON schema allows, always the same: the smallest of its kind, with all properties that it names. Knows
 * what people write schemas with; where one asks for more than that (`pattern`, `format`) the value may break it.
 */
export function sampleOf(schema: JsonObject): JsonValue {
  return sample(schema, schema, 0);
}

function sample(schema: JsonValue | undefined, root: JsonObject, depth: number): JsonValue {
  if (!isObject(schema) || depth > MAX_DEPTH) return {};
  const { $ref: reference, const: constant, enum: choices, default: standard } = schema;
  if (typeof reference === 'string') return sample(resolved(reference, root), root, depth + 1);
  if (constant !== undefined) return constant;
  if (isList(choices) && choices[0] !== undefined) return choices[0];
  if (standard !== undefined) return standard;
  for (const alternatives of [schema.anyOf, schema.oneOf, schema.allOf]) {
    if (isList(alternatives)) return sample(alternatives[0], root, depth + 1);
  }
  switch (isList(schema.type) ? schema.type[0] : schema.type) {
    case 'string':
      return 'text'.padEnd(numberOr(schema.minLength, 0), '.').slice(0, numberOr(schema.maxLength, 1e6));
    case 'integer':
    case 'number':
      return Math.max(numberOr(schema.minimum, 0), numberOr(schema.exclusiveMinimum, -1) + 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return Array.from({ length: Math.min(numberOr(schema.minItems, 1), 100) }, () =>
        sample(schema.items, root, depth + 1),
      );
    default: {
      const properties = isObject(schema.properties) ? Object.entries(schema.properties) : [];
      return Object.fromEntries(properties.map(([name, value]) => [name, sample(value, root, depth + 1)]));
    }
  }
}

/** `#/$defs/name`, within the schema itself. */
function resolved(reference: string, root: JsonObject): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const step of reference.split('/').slice(1)) {
    value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function numberOr(value: JsonValue | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
