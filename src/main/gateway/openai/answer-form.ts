import { z } from 'zod';
import type { ReasoningEffort, ResponseFormat } from '../../../shared/generation.ts';
import { type Path, type Refuse, refuse, refuser, shown } from '../request-errors.ts';
import { fieldOf, isObject, readSchema } from './json-object.ts';
import { DESCRIPTION_RULE, isDescription } from './tool-fields.ts';

/** `response_format`; `null` = text. */
export const responseFormatSchema = z
  .unknown()
  .optional()
  .transform((value, context): ResponseFormat | null => {
    if (value === undefined || value === null) return null;
    const type = isObject(value) ? fieldOf(value, 'type') : undefined;
    if (isObject(value) && type === 'json_schema') {
      return readJsonSchema(fieldOf(value, 'json_schema'), ['json_schema'], refuser(context)) ?? z.NEVER;
    }
    if (type === 'json_object') return { type };
    if (type === 'text') return null;
    return refuse(
      context,
      isObject(value) ? ['type'] : [],
      '"response_format" must be {"type":"text"}, {"type":"json_object"} or {"type":"json_schema","json_schema":{…}}.',
    );
  });

function readJsonSchema(value: unknown, path: Path, wrong: Refuse): ResponseFormat | null {
  if (!isObject(value)) {
    return wrong(path, '"json_schema" must be an object such as {"name":"…","schema":{…}}.');
  }
  const name = fieldOf(value, 'name');
  const description = fieldOf(value, 'description') ?? null;
  const strict = fieldOf(value, 'strict') ?? null;
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
    return wrong(
      [...path, 'name'],
      'The name of a response format must have 1 to 64 characters out of letters, digits, _ and -.',
    );
  }
  if (!isDescription(description)) return wrong([...path, 'description'], DESCRIPTION_RULE);
  if (strict !== null && typeof strict !== 'boolean') {
    return wrong([...path, 'strict'], `"strict" must be true or false, not ${shown(strict)}.`);
  }
  const schema = readSchema(fieldOf(value, 'schema'), [...path, 'schema'], wrong);
  return schema === null ? null : { type: 'json_schema', name, description, schema, strict };
}

const EFFORTS: ReadonlyMap<unknown, ReasoningEffort | null> = new Map([
  [undefined, null],
  [null, null],
  ['none', 'none'],
  ['minimal', 'minimal'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  // Newer words for more than most models can do.
  ['xhigh', 'high'],
  ['max', 'high'],
]);

export const reasoningEffortSchema = z
  .unknown()
  .optional()
  .transform((value, context): ReasoningEffort | null => {
    const effort = EFFORTS.get(value);
    if (effort !== undefined) return effort;
    return refuse(
      context,
      [],
      `"reasoning_effort" must be none, minimal, low, medium or high, not ${shown(value)}.`,
    );
  });
