import type { ConfigProblem } from '../../shared/contract.ts';
import { likelyName } from '../registry/nearest.ts';
import { complete, overlay } from './complete.ts';
import type { Definition } from './definition-schema.ts';
import type { CatalogModel } from './model.ts';
import { type ParsedFile, type ParsedFolder, problemAt } from './parsed-files.ts';
import { PriceBook } from './price-book.ts';

/** The definition of one model: shipped, the user's own, or the one laid over the other. */
interface Pair {
  readonly shipped: ParsedFile<Definition> | null;
  readonly own: ParsedFile<Definition> | null;
}

interface Owner {
  readonly id: string;
  readonly file: string;
}

/** What a model is made against. */
interface Surroundings {
  readonly prices: PriceBook;
  /** Provider and name → the model that has it. */
  readonly taken: Map<string, Owner>;
  readonly problems: ConfigProblem[];
}

/** Lays the user's files over the shipped ones. Whatever cannot be used is left out by itself, and named as a problem. */
export function assemble(
  shipped: ParsedFolder,
  own: ParsedFolder,
): { models: readonly CatalogModel[]; problems: readonly ConfigProblem[] } {
  const prices = new PriceBook(shipped, own);
  const problems = [...prices.problems];
  const pairs = pairsOf(shipped, own, problems);
  const taken = new Map<string, Owner>();
  // All ids before any alias: an id is never given up for one.
  for (const { provider, file, value } of pairs.flatMap(filesOf))
    taken.set(`${provider}/${value.id}`, { id: value.id, file });
  const around: Surroundings = { prices, taken, problems };
  const models = pairs.flatMap((pair) => {
    // Where the user's file cannot be laid over the shipped one, the shipped one alone still stands.
    const model = modelOf(pair, around) ?? (pair.own && modelOf({ ...pair, own: null }, around));
    return model ? [model] : [];
  });
  return { models, problems: [...problems, ...lostReplacements(pairs, taken)] };
}

/** The definitions by model. Of two with one id in a folder the first holds. */
function pairsOf(shipped: ParsedFolder, own: ParsedFolder, problems: ConfigProblem[]): readonly Pair[] {
  const pairs = new Map<string, Pair>();
  for (const kind of ['shipped', 'own'] as const) {
    for (const parsed of (kind === 'shipped' ? shipped : own).definitions) {
      const key = `${parsed.provider}/${parsed.value.id}`;
      const pair = pairs.get(key) ?? { shipped: null, own: null };
      const other = pair[kind];
      if (other) {
        const owner = { id: parsed.value.id, file: other.file };
        problems.push(problemAt(parsed, ['id'], alreadyTaken(parsed.value.id, owner)));
      } else pairs.set(key, { ...pair, [kind]: parsed });
    }
  }
  // Shipped models first: an alias of the user's never takes one of theirs.
  const rank = ({ shipped: base, own: mine }: Pair) => (mine === null ? 0 : base === null ? 2 : 1);
  return [...pairs.values()].sort((a, b) => rank(a) - rank(b));
}

function filesOf({ shipped, own }: Pair): readonly ParsedFile<Definition>[] {
  return [shipped, own].filter((parsed) => parsed !== null);
}

/** `null` when the definition cannot be used; the problem has been named. */
function modelOf(pair: Pair, { prices, taken, problems }: Surroundings): CatalogModel | null {
  const files = filesOf(pair);
  const [first] = files;
  const last = files.at(-1);
  if (!first || !last) return null;
  const { provider } = first;
  const definition = first === last ? first.value : overlay(first.value, last.value);

  const contextTokens = definition.context?.in;
  if (contextTokens === undefined) {
    const message = 'context.in: is missing; write the tokens that its context holds, such as 200000';
    problems.push(problemAt(last, ['context', 'in'], message));
    return null;
  }
  const aliases = definition.aliases ?? [];
  const ownerOf = (name: string) => taken.get(`${provider}/${name}`);
  for (const [index, alias] of aliases.entries()) {
    const owner = ownerOf(alias);
    if (!owner || owner.id === definition.id) continue;
    const at = last.value.aliases === undefined ? first : last;
    problems.push(problemAt(at, ['aliases', index], alreadyTaken(alias, owner)));
    return null;
  }
  for (const alias of aliases) taken.set(`${provider}/${alias}`, { id: definition.id, file: last.file });

  const model = complete(definition, contextTokens);
  const versions = prices.versionsOf(provider, model.pricingRef ?? model.id);
  if (versions.length === 0 && model.pricingRef !== null) {
    const message = prices.missing(provider, model.pricingRef);
    const at = last.value.pricingRef === undefined ? first : last;
    if (message !== null) problems.push(problemAt(at, ['pricingRef'], message));
  }
  return { ...model, provider, prices: versions, files: files.map(({ file }) => file) };
}

function alreadyTaken(name: string, owner: Owner): string {
  const what = name === owner.id ? 'the id of the model' : `an alias of \`${owner.id}\``;
  return `"${name}" is already ${what} in ${owner.file}; give one of the two models another name`;
}

function lostReplacements(
  pairs: readonly Pair[],
  taken: ReadonlyMap<string, Owner>,
): readonly ConfigProblem[] {
  return pairs.flatMap(filesOf).flatMap((parsed) => {
    const { provider, value } = parsed;
    const replacement = value.deprecation?.replacement;
    if (replacement === undefined || taken.has(`${provider}/${replacement}`)) return [];
    const known = [...taken.keys()]
      .filter((key) => key.startsWith(`${provider}/`))
      .map((key) => key.slice(provider.length + 1));
    const near = likelyName(replacement, known);
    const what = near === null ? 'name another' : `did you mean "${near}"?`;
    const message = `deprecation.replacement: no model of ${provider} is called "${replacement}"; ${what}`;
    return [problemAt(parsed, ['deprecation', 'replacement'], message)];
  });
}
