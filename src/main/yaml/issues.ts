import type { z } from 'zod';
import { showValue } from '../../shared/config-fields.ts';
import type { ConfigProblem } from '../../shared/contract.ts';
import { likelyName } from '../registry/nearest.ts';
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
  return issues.flatMap((issue) => explain(checked, issue, [])).sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
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
      const meant = issue.errors.find((member) => member.length > 0 && member.every(isInside));
      if (meant) return meant.flatMap((inner) => explain(checked, inner, path));
      break;
    }
    default:
      break;
  }
  const where = path.length === 0 ? '' : `${showPath(path)}: `;
  return [{ file, line: source.lineOf(path), message: `${where}${issue.message}` }];
}

function isInside(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys';
}

function unknownKey(checked: CheckedFile, path: KeyPath, key: string): string {
  const known = knownKeys(checked, path);
  const near = likelyName(key, known);
  const where = path.length === 0 ? '' : `${showPath(path)}: `;
  if (near !== null) return `${where}unknown key \`${key}\`; did you mean \`${near}\`?`;
  return `${where}unknown key \`${key}\`; take it out, or write one of ${known.join(', ')}`;
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

/** The JSON schema as far as its keys go. */
interface KeyTree {
  readonly properties?: Readonly<Record<string, KeyTree>>;
  readonly additionalProperties?: KeyTree | boolean;
  readonly items?: KeyTree;
  readonly anyOf?: readonly KeyTree[];
}

/** The keys that may stand below `path`. */
function knownKeys({ jsonSchema }: CheckedFile, path: KeyPath): readonly string[] {
  // What zod makes is a JSON schema of exactly this form: no references, no tuples.
  let trees: readonly KeyTree[] = members(jsonSchema() as KeyTree);
  for (const step of path) {
    trees = trees.flatMap((tree) => {
      const below =
        typeof step === 'number' ? tree.items : (tree.properties?.[step] ?? tree.additionalProperties);
      return typeof below === 'object' ? members(below) : [];
    });
  }
  return trees.flatMap((tree) => Object.keys(tree.properties ?? {}));
}

function members(tree: KeyTree): readonly KeyTree[] {
  return tree.anyOf ? tree.anyOf.flatMap(members) : [tree];
}
