import type { z } from 'zod';
import { showValue } from '../../shared/config-fields.ts';
import type { ConfigProblem } from '../../shared/contract.ts';
import { likelyName } from '../registry/nearest.ts';
import { type KeyTree, keysOf, treesAt } from './schema-tree.ts';
import type { KeyPath, YamlSource } from './yaml-source.ts';

type Issue = z.core.$ZodIssue;

/** A file as its problems are said. */
export interface CheckedFile {
  readonly file: string;
  readonly source: YamlSource;
  /** The JSON schema of what people write in such a file: knows the keys that an unknown one may have been meant to be. */
  readonly jsonSchema: () => z.core.JSONSchema.BaseSchema;
}

/** Says what zod found wrong with a YAML file: each problem with its line, in the order of the file. */
export function problemsOf(checked: CheckedFile, issues: readonly Issue[]): readonly ConfigProblem[] {
  const problems = issues.flatMap((issue) => explain(checked, issue, []));
  // Of a number that is too large to be exact zod says so beside the key's own bound, in the key's words both times.
  const once = new Map(problems.map((problem) => [`${problem.line} ${problem.message}`, problem]));
  return [...once.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function explain(checked: CheckedFile, issue: Issue, above: KeyPath): readonly ConfigProblem[] {
  const { file, source } = checked;
  const path: KeyPath = [
    ...above,
    ...issue.path.map((step) => (typeof step === 'number' ? step : String(step))),
  ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        file,
        line: source.lineOfKey([...path, key]),
        message: unknownKey(checked, path, key),
      }));
    case 'invalid_key': {
      const reason = issue.issues[0]?.message ?? issue.message;
      const message = `${showPath(path.slice(0, -1))}: ${reason}`;
      return [{ file, line: source.lineOfKey(path), message }];
    }
    case 'invalid_union': {
      // The member that got furthest is the one that was meant; its own issues say more than "none of these".
      const meant = issue.errors
        .filter((member) => member.length > 0 && member.every(isInside))
        .sort((a, b) => mistakesIn(a) - mistakesIn(b))[0];
      if (meant) return meant.flatMap((inner) => explain(checked, inner, path));
      break;
    }
    default:
      break;
  }
  const where = path.length === 0 ? '' : `${showPath(path)}: `;
  const found = valueAt(source.value, path);
  const near = typeof found === 'string' ? likelyName(found, valuesOf(issue)) : null;
  const hint = near === null ? '' : ` (did you mean ${near}?)`;
  return [{ file, line: source.lineOf(path), message: `${where}${issue.message}${hint}` }];
}

function isInside(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys';
}

/** What could stand there instead, where that is one of a few words. */
function valuesOf(issue: Issue): readonly string[] {
  const values = issue.code === 'invalid_value' ? issue.values : 'options' in issue ? issue.options : [];
  return Array.isArray(values) && values.length > 1 ? values.map(String) : [];
}

function valueAt(value: unknown, path: KeyPath): unknown {
  // A list is an object too, with its places for keys.
  return path.reduce<unknown>((found, step) => Object(found)[step], value);
}

function mistakesIn(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
}

function unknownKey(checked: CheckedFile, path: KeyPath, key: string): string {
  const known = knownKeys(checked, path, key);
  const near = likelyName(key, known.keys);
  const where = path.length === 0 ? '' : `${showPath(path)}: `;
  if (known.goesElsewhere) {
    const others = known.keys.join(', ');
    return `${where}\`${key}\` does not go with what else stands here; take it out, or write one of ${others}`;
  }
  if (near !== null) return `${where}unknown key \`${key}\`; did you mean \`${near}\`?`;
  return `${where}unknown key \`${key}\`; take it out, or write one of ${known.keys.join(', ')}`;
}

/** `models.demo.file`, `server.allowedHosts[0]`, `models."Mistral 7B".file`. */
export function showPath(path: KeyPath): string {
  let shown = '';
  for (const step of path) {
    if (typeof step === 'number') shown += `[${step}]`;
    else shown += `${shown === '' ? '' : '.'}${/^[\w-]+$/.test(step) ? step : showValue(step)}`;
  }
  return shown;
}

/** The keys that may stand below `path` where `unknown` may not; whether other entries of its kind may have that one. */
function knownKeys(
  { jsonSchema }: CheckedFile,
  path: KeyPath,
  unknown: string,
): { readonly keys: readonly string[]; readonly goesElsewhere: boolean } {
  // zod's JSON schemas are of this form.
  const known = keysOf(treesAt(jsonSchema() as KeyTree, path));
  const possible = known.filter((keys) => !keys.includes(unknown));
  return { keys: [...new Set(possible.flat())], goesElsewhere: possible.length < known.length };
}
