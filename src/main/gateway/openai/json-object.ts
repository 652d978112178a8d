import type { JsonObject } from '../../../shared/generation.ts';
import { type Path, type Refuse, shown } from '../request-errors.ts';

/** Deeper than any schema that people write; what reads one recursively is safe with this. */
const MAX_DEPTH = 64;
/** Values in one schema, at all depths. */
const MAX_VALUES = 20_000;

/** A JSON schema of bounded size and depth, as it came; `null` after it was refused. */
export function readSchema(value: unknown, path: Path, wrong: Refuse): JsonObject | null {
  if (!isObject(value)) return wrong(path, `A JSON schema must be an object, not ${shown(value)}.`);
  let level: unknown[] = [value];
  let values = 0;
  for (let depth = 1; level.length > 0; depth += 1) {
    values += level.length;
    if (depth > MAX_DEPTH || values > MAX_VALUES) {
      const bound =
        depth > MAX_DEPTH ? `nested at most ${MAX_DEPTH} deep` : `of at most ${MAX_VALUES} values`;
      return wrong(path, `A JSON schema must be ${bound}.`);
    }
    level = level.flatMap((entry) =>
      typeof entry === 'object' && entry !== null ? Object.values(entry) : [],
    );
  }
  // All of it came out of a JSON parser.
  return value as JsonObject;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field that the body itself has: nothing comes from a prototype. */
export function fieldOf(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
