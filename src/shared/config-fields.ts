import { z } from 'zod';
import { MIN_BUDGET_BYTES } from './model-limits.ts';
import { formatBytes, parseDurationMs, parsePercent, parseSizeBytes } from './units.ts';

/*
 * The kinds of value that models.yaml is made of. Each carries one message for everything that can be wrong with it:
 * what was found, and what to write instead.
 */

/** The parts of a zod issue that a message needs; the input is missing where the key is. */
interface IssueLike {
  readonly input?: unknown;
}

/** A value as a message quotes it: short, and never the inside of a list or a section. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Makes the message of every issue of one key. `what` = what the value fails to be, `write` = what to write instead. */
export function says(what: string, write: string) {
  return (issue: IssueLike): string => {
    if (issue.input === undefined) return `is missing; write ${write}`;
    if (issue.input === null) return `has no value; write ${write}, or take the key out`;
    return `${showValue(issue.input)} is not ${what}; write ${write}`;
  };
}

/** As `says`, for values that must not show up in messages and logs. */
export function saysWithoutValue(what: string, write: string) {
  return (issue: IssueLike): string =>
    issue.input === undefined ? `is missing; write ${write}` : `this is not ${what}; write ${write}`;
}

export function wholeNumber(min: number, max: number, example: number) {
  const error = says(`a whole number from ${min} to ${max}`, `a number such as ${example}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function numberBetween(min: number, max: number, example: number) {
  const error = says(`a number from ${min} to ${max}`, `a number such as ${example}`);
  return z.number({ error }).min(min, { error }).max(max, { error });
}

/** `word`, or a whole number. */
export function wordOrWholeNumber<const Word extends string>(word: Word, min: number, max: number) {
  const error = says(
    `${word} or a whole number from ${min} to ${max}`,
    `${word}, or a number such as ${Math.min(8, max)}`,
  );
  return z.union([z.literal(word, { error }), z.int({ error }).min(min, { error }).max(max, { error })], {
    error,
  });
}

export function trueOrFalse() {
  return z.boolean({ error: says('true or false', 'true or false') });
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  const list = `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
  return z.enum(values, { error: says(list, list) });
}

export function text(pattern: RegExp, what: string, write: string) {
  const error = says(what, write);
  return z.string({ error }).regex(pattern, { error });
}

export function filePath() {
  return text(/^[^\0]{1,4096}$/, 'a path', 'the path of a file or folder');
}

export function list<Item extends z.ZodType>(item: Item, write: string) {
  return z.array(item, { error: says('a list', write) });
}

export function keys<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: says('a section', 'its keys below it, indented') });
}

/** A section that may be left out, or left empty as `models:` with nothing below it is. */
export function section<Schema extends z.ZodType<unknown, object>>(schema: Schema) {
  return schema.nullish().transform((value): z.output<Schema> => value ?? schema.parse({}));
}

const DURATION = String.raw`\d+(\.\d+)?\s*(ms|s|m|h|d)`;

/** A duration with its unit, from `min` to `max`. Output: milliseconds. */
export function duration(min: string, max: string, example: string) {
  const error = says(`a duration from ${min} to ${max}`, `one such as ${example}`);
  return z
    .string({ error })
    .regex(new RegExp(`^${DURATION}$`), { error })
    .transform((value, context) => {
      const ms = durationWithin(value, min, max);
      if (ms === null)
        context.issues.push({ code: 'custom', message: error({ input: value }), input: value });
      return ms ?? z.NEVER;
    });
}

/** A duration with its unit, or `never`. Output: milliseconds, or `null` for never. */
export function durationOrNever(min: string, max: string, example: string) {
  const error = says(`never or a duration from ${min} to ${max}`, `never, or a duration such as ${example}`);
  return z
    .string({ error })
    .regex(new RegExp(`^(never|${DURATION})$`), { error })
    .transform((value, context) => {
      if (value === 'never') return null;
      const ms = durationWithin(value, min, max);
      if (ms === null)
        context.issues.push({ code: 'custom', message: error({ input: value }), input: value });
      return ms ?? z.NEVER;
    });
}

function durationWithin(value: string, min: string, max: string): number | null {
  const ms = parseDurationMs(value);
  if (ms === null || ms < (parseDurationMs(min) ?? 0) || ms > (parseDurationMs(max) ?? 0)) return null;
  return ms;
}

export type Budget =
  | { readonly kind: 'auto' }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'share'; readonly share: number };

/** `auto`, a size with its unit, or a share of the machine's memory. A bare number is refused: 24 would be 24 bytes. */
export function memoryBudget() {
  const write = 'auto, a size such as 24GiB, or a share such as 60%';
  const error = says('a size', write);
  return z
    .string({ error })
    .regex(/^(auto|\d+(\.\d+)?\s*([KMGT]i?B|B|%))$/, { error })
    .transform((value, context): Budget => {
      if (value === 'auto') return { kind: 'auto' };
      const share = parsePercent(value);
      if (share !== null && share > 0) return { kind: 'share', share };
      const bytes = parseSizeBytes(value);
      if (bytes !== null && bytes >= MIN_BUDGET_BYTES) return { kind: 'bytes', bytes };
      const tooSmall = `${showValue(value)} is less than ${formatBytes(MIN_BUDGET_BYTES)}, which no model fits in; write ${write}`;
      const message = bytes === null || bytes === 0 ? error({ input: value }) : tooSmall;
      context.issues.push({ code: 'custom', message, input: value });
      return z.NEVER;
    });
}

/** A size with its unit, or 0. Output: bytes. */
export function sizeOrZero(example: string) {
  const error = says('a size', `one such as ${example}, or 0`);
  const sized = z
    .string({ error })
    .regex(/^(0|\d+(\.\d+)?\s*([KMGT]i?B|B))$/, { error })
    .transform((value, context) => {
      const bytes = parseSizeBytes(value);
      if (bytes === null)
        context.issues.push({ code: 'custom', message: error({ input: value }), input: value });
      return bytes ?? z.NEVER;
    });
  return z.union([z.literal(0, { error }), sized], { error });
}

/**
 * What a model or a tier may be called. `/` is for ids such as `org/model`; names never become paths, and the parts that
 * are refused are those that clients take out of an address. The prefixes are kept for names that mean something else.
 */
const NAME =
  /^(?!auto$|tier:|user:|rollout:|__proto__$)(?! )(?!(?:.*\/)?\.{0,2}(?:\/|$))[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,128}(?<! )$/u;

/** True when `name` may be the id or alias of a model, or the name of a tier. */
export function isName(name: string): boolean {
  return NAME.test(name);
}

export const NAME_RULE =
  'up to 128 printable characters, no space or "/" at either end, no part between "/" empty, "." or "..", not "auto", and not starting with "tier:", "user:" or "rollout:"';

export function nameText() {
  return text(NAME, 'a usable name', NAME_RULE);
}
