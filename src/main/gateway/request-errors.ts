import { z } from 'zod';
import { type ErrorCode, RoundhouseError } from '../../shared/errors.ts';

/**
 * Checks what came over the wire. Unknown keys are as lenient as the schema is.
 * @throws RoundhouseError for the first thing that is wrong, with its `param`; `invalid_request` unless the schema's
 * own issue (see `refuse`) names another code
 */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw requestError(firstOf(result.error.issues), body);
}

/** Of a number that is too large to be exact zod says so first; the field's own bound says more. */
function firstOf(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  const [first] = issues;
  if (first === undefined || !isOfExactness(first)) return first;
  const param = paramOf(first.path);
  return issues.find((issue) => !isOfExactness(issue) && paramOf(issue.path) === param) ?? first;
}

function isOfExactness(issue: z.core.$ZodIssue): boolean {
  return (issue.code === 'too_big' || issue.code === 'too_small') && issue.origin === 'int';
}

/** Adds an issue from inside a schema's transform, at `path` below the value that is being looked at. */
export function refuse(
  context: z.RefinementCtx,
  path: Path,
  message: string,
  code: ErrorCode = 'invalid_request',
): typeof z.NEVER {
  context.addIssue({ code: 'custom', path: [...path], message, params: { errorCode: code } });
  return z.NEVER;
}

export type Path = readonly (string | number)[];
/** Refuses what stands at `path`. */
export type Refuse = (path: Path, message: string, code?: ErrorCode) => null;

/** `refuse` for readers that give `null` for what they refused; their paths begin below `at`. */
export function refuser(context: z.RefinementCtx, at: Path = []): Refuse {
  return (path, message, code) => {
    refuse(context, [...at, ...path], message, code);
    return null;
  };
}

/** `['messages', 1, 'content']` as the wire writes it: `messages[1].content`. */
export function paramOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}

function requestError(issue: z.core.$ZodIssue | undefined, body: unknown): RoundhouseError {
  if (issue === undefined) return new RoundhouseError('invalid_request', 'The body is not valid.');
  if (issue.path.length === 0 && issue.code === 'invalid_type') {
    return new RoundhouseError('invalid_request', `The body must be a JSON object, not ${shown(body)}.`);
  }
  const param = paramOf(issue.path);
  const message = messageOf(issue, param, valueAt(body, issue.path));
  return new RoundhouseError(codeOf(issue), message, param === '' ? {} : { param });
}

function codeOf(issue: z.core.$ZodIssue): ErrorCode {
  // `refuse` is the only one that sets it, and puts an ErrorCode there.
  if (issue.code === 'custom') return (issue.params?.errorCode as ErrorCode | undefined) ?? 'invalid_request';
  return 'invalid_request';
}

function messageOf(issue: z.core.$ZodIssue, param: string, value: unknown): string {
  const name = `"${param}"`;
  switch (issue.code) {
    case 'custom':
      return issue.message;
    case 'invalid_type':
      if (value === undefined) return `${name} is needed.`;
      return `${name} must be ${expectation(issue.expected)}, not ${shown(value)}.`;
    case 'too_small':
    case 'too_big': {
      const atLeast = issue.code === 'too_small';
      const bound = atLeast ? issue.minimum : issue.maximum;
      const word = atLeast ? 'at least' : 'at most';
      if (issue.origin === 'string')
        return `${name} must hold ${word} ${bound} characters, not ${lengthOf(value)}.`;
      if (issue.origin === 'array')
        return `${name} must hold ${word} ${bound} items, not ${lengthOf(value)}.`;
      return `${name} must be ${word} ${bound}, not ${shown(value)}.`;
    }
    case 'unrecognized_keys':
      return `${issue.keys.map((key) => `"${key}"`).join(', ')} is not known here.`;
    default:
      return `${name} is not valid: ${issue.message}.`;
  }
}

function expectation(expected: string): string {
  switch (expected) {
    case 'int':
      return 'a whole number';
    case 'array':
      return 'a list';
    case 'boolean':
      return 'true or false';
    case 'record':
    case 'object':
      return 'an object';
    default:
      return `a ${expected}`;
  }
}

/** A value as a message can show it: short, whatever it is. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number too large to represent';
  if (typeof value === 'string' && value.length > 60) return `${JSON.stringify(value.slice(0, 60))}…`;
  return JSON.stringify(value);
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' || Array.isArray(value) ? value.length : 0;
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined),
    body,
  );
}
