import type { KeyPath } from './yaml-source.ts';

/*
 * A JSON schema as far as its keys go. What zod makes is of exactly this form: no references, no tuples.
 */
export interface KeyTree {
  readonly properties?: Readonly<Record<string, KeyTree>>;
  /** What stands under any other key. */
  readonly additionalProperties?: KeyTree | boolean;
  readonly items?: KeyTree;
  readonly anyOf?: readonly KeyTree[];
  readonly oneOf?: readonly KeyTree[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  /** As people would write it. */
  readonly default?: unknown;
  readonly description?: string;
}

/** Everything that may stand at `path`; empty where nothing may. A choice counts as each of its members. */
export function treesAt(root: KeyTree, path: KeyPath): readonly KeyTree[] {
  let trees = members(root);
  for (const step of path) {
    trees = trees.flatMap((tree) => {
      const below =
        typeof step === 'number'
          ? tree.items
          : Object.hasOwn(tree.properties ?? {}, step)
            ? tree.properties?.[step]
            : tree.additionalProperties;
      return typeof below === 'object' ? members(below) : [];
    });
  }
  return trees;
}

/** The keys that each of these may have by name. */
export function keysOf(trees: readonly KeyTree[]): readonly (readonly string[])[] {
  return trees.map((tree) => Object.keys(tree.properties ?? {}));
}

function members(tree: KeyTree): readonly KeyTree[] {
  const alternatives = tree.anyOf ?? tree.oneOf;
  if (!alternatives) return [tree];
  // What is said of the whole choice holds for each member.
  const { default: written } = tree;
  const all = alternatives.flatMap(members);
  return written === undefined ? all : all.map((member) => ({ default: written, ...member }));
}
