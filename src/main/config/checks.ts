import { assertNever } from '../../shared/assert-never.ts';
import type { ConfigProblem } from '../../shared/contract.ts';
import { MIN_BUDGET_BYTES } from '../../shared/model-limits.ts';
import { formatBytes } from '../../shared/units.ts';
import { apiKeySettings } from './api-keys.ts';
import { type CheckInput, isLoopback, problemAt, suggest } from './check-input.ts';
import { BUILTIN_DEMO } from './model-settings.ts';
import {
  checkProviders,
  checkRemoteModels,
  isOfProvider,
  isProvider,
  noProvider,
} from './provider-checks.ts';

/*
 * What no single key can be wrong about: names that clash or name nothing, and settings that contradict each other.
 */

/** Everything that is wrong with a configuration whose single values are all right. */
export function checkConfig(input: CheckInput): readonly ConfigProblem[] {
  const names = new Map<string, string>();
  for (const id of [...input.source.keysOf(['models']), ...input.foundIds]) names.set(id, id);
  return [
    ...checkAliases(input, names),
    ...checkBuiltins(input),
    ...checkProviders(input),
    ...checkRemoteModels(input),
    ...checkTiers(input, names),
    ...checkDefaultRoute(input, names),
    ...checkBudget(input),
    ...checkPinned(input),
    ...checkHost(input),
    ...checkBudgets(input, names),
    ...checkKeys(input),
  ].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** Adds the aliases to `names` (name → id) as it goes. */
function checkAliases(input: CheckInput, names: Map<string, string>): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const id of input.source.keysOf(['models'])) {
    for (const [index, alias] of (input.config.models[id]?.aliases ?? []).entries()) {
      const owner = names.get(alias);
      if (owner === undefined) {
        names.set(alias, id);
        continue;
      }
      const clash = owner === alias ? `the id of \`${owner}\`` : `an alias of \`${owner}\``;
      const line = input.source.keysOf(['models']).includes(owner)
        ? ` (line ${input.source.lineOfKey(['models', owner])})`
        : '';
      const message = `"${alias}" is already ${clash}${line}; give \`${id}\` another alias`;
      problems.push(problemAt(input, ['models', id, 'aliases', index], message));
    }
  }
  return problems;
}

function checkBuiltins(input: CheckInput): readonly ConfigProblem[] {
  return Object.entries(input.config.models)
    .flatMap(([id, model]) => ('file' in model ? [{ id, file: model.file }] : []))
    .filter(({ file }) => file.startsWith('builtin:') && file !== BUILTIN_DEMO)
    .map(({ id, file }) =>
      problemAt(
        input,
        ['models', id, 'file'],
        `there is no built-in model "${file.slice('builtin:'.length)}"; write ${BUILTIN_DEMO}, or the path of a GGUF file`,
      ),
    );
}

function checkTiers(input: CheckInput, names: ReadonlyMap<string, string>): readonly ConfigProblem[] {
  return Object.entries(input.config.tiers).flatMap(([tier, { models }]) =>
    models.flatMap((name, index) =>
      names.has(name) || isOfProvider(input, name)
        ? []
        : [problemAt(input, ['tiers', tier, 'models', index], noModel(input, name, names))],
    ),
  );
}

function checkDefaultRoute(input: CheckInput, names: ReadonlyMap<string, string>): readonly ConfigProblem[] {
  const target = input.config.routing.default;
  if (target === undefined || names.has(target) || isOfProvider(input, target)) return [];
  const path = ['routing', 'default'];
  if (!target.startsWith('tier:')) return [problemAt(input, path, noModel(input, target, names))];
  const tiers = Object.keys(input.config.tiers);
  const tier = target.slice('tier:'.length);
  if (tiers.includes(tier)) return [];
  return [
    problemAt(input, path, `no tier is called "${tier}"; ${suggest(tier, tiers, 'add it under tiers')}`),
  ];
}

function checkBudget(input: CheckInput): readonly ConfigProblem[] {
  const { machineBytes } = input;
  const { budget } = input.config.memory;
  if (machineBytes === null) return [];
  const problem = (message: string) => [problemAt(input, ['memory', 'budget'], message)];
  const machine = `this machine has ${formatBytes(machineBytes)} of memory`;
  switch (budget.kind) {
    case 'auto':
      return [];
    case 'bytes':
      return budget.bytes <= machineBytes
        ? []
        : problem(`${formatBytes(budget.bytes)} is too much: ${machine}; write auto, or a share such as 60%`);
    case 'share': {
      const bytes = budget.share * machineBytes;
      if (bytes >= MIN_BUDGET_BYTES) return [];
      const leastPercent = Math.ceil((MIN_BUDGET_BYTES / machineBytes) * 100);
      const found = `${Number((budget.share * 100).toFixed(4))}% is ${formatBytes(bytes)}, since ${machine}`;
      return problem(
        `${found}; a model needs ${formatBytes(MIN_BUDGET_BYTES)}: write at least ${leastPercent}%, or auto`,
      );
    }
    default:
      return assertNever(budget);
  }
}

function checkPinned(input: CheckInput): readonly ConfigProblem[] {
  const pinned = input.source.keysOf(['models']).filter((id) => {
    const model = input.config.models[id];
    return model && 'file' in model && model.pinned;
  });
  const { maxLoadedModels } = input.config.memory;
  if (pinned.length <= maxLoadedModels) return [];
  const message =
    `${pinned.length} models are pinned (${pinned.join(', ')}), but only ${maxLoadedModels} may be loaded at a time; ` +
    `unpin ${pinned.length - maxLoadedModels}, or raise memory.maxLoadedModels to ${pinned.length}`;
  return [problemAt(input, ['memory', 'maxLoadedModels'], message)];
}

function checkHost(input: CheckInput): readonly ConfigProblem[] {
  const { host, apiKeys } = input.config.server;
  if (isLoopback(host) || apiKeys.length > 0) return [];
  const message = `${host} can be reached from other machines, but server.apiKeys is empty; add a key, or write 127.0.0.1`;
  return [problemAt(input, ['server', 'host'], message)];
}

function checkBudgets(input: CheckInput, names: ReadonlyMap<string, string>): readonly ConfigProblem[] {
  return input.config.budgets.flatMap(({ scope }, index) => {
    const path = ['budgets', index, 'scope'];
    if (scope === 'all' || 'user' in scope) return [];
    if ('model' in scope) {
      if (names.has(scope.model) || isOfProvider(input, scope.model)) return [];
      return [problemAt(input, [...path, 'model'], noModel(input, scope.model, names))];
    }
    if (isProvider(input, scope.provider)) return [];
    return [problemAt(input, [...path, 'provider'], noProvider(input, scope.provider))];
  });
}

/** Of two entries for one key only the first would hold, with its rights and limits. */
function checkKeys(input: CheckInput): readonly ConfigProblem[] {
  const first = new Map<string, number>();
  return input.config.server.apiKeys.flatMap((entry, index) => {
    const { sha256 } = apiKeySettings(entry);
    const owner = first.get(sha256);
    if (owner === undefined) {
      first.set(sha256, index);
      return [];
    }
    const message = `is the same key as server.apiKeys[${owner}]; give each entry a key of its own`;
    return [problemAt(input, ['server', 'apiKeys', index], message)];
  });
}

function noModel(input: CheckInput, name: string, names: ReadonlyMap<string, string>): string {
  const elsewhere = input.config.modelsFolders.length > 0 ? ', nor is such a file in the models folders' : '';
  return `no model is called "${name}"${elsewhere}; ${suggest(name, [...names.keys()], 'add it under models')}`;
}
