import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';

/*
 * Holds the source tree against `.dependency-cruiser.cjs`. Beyond the violations it fails when it saw no modules, or
 * when a rule could match none of them: a check that looks at nothing must not pass.
 *
 *   node scripts/check-boundaries.ts [ROOT]
 */

const ROOMS = ['src', 'test', 'bench', 'scripts', 'examples'];
const ownRoot = resolve(import.meta.dirname, '..');
const root = resolve(process.argv[2] ?? ownRoot);

const rooms = ROOMS.filter((room) => existsSync(join(root, room)));
const options = await extractDepcruiseOptions(join(ownRoot, '.dependency-cruiser.cjs'));
const { output } = await cruise(rooms, { ...options, baseDir: root });
if (typeof output === 'string') throw new Error(`dependency-cruiser answered in text:\n${output}`);

const { lines, passed } = report(output, options.ruleSet?.forbidden ?? []);
console.log(lines.join('\n'));
process.exitCode = passed ? 0 : 1;

function report(
  result: ICruiseResult,
  rules: readonly IForbiddenRuleType[],
): { lines: string[]; passed: boolean } {
  const sources = result.modules.map((module) => module.source).filter((source) => isOwn(source));
  const { violations, totalDependenciesCruised } = result.summary;
  const lines = violations.map(
    ({ rule, from, to, cycle }) =>
      `${rule.name}: ${from} → ${cycle ? cycle.map((step) => step.name).join(' → ') : to}`,
  );
  const idle = rules.filter((rule) => !sources.some((source) => matchesFrom(rule, source)));
  // Only of the whole house: a part of it need not have every room.
  if (root === ownRoot) lines.push(...idle.map((rule) => `${rule.name}: no module that it could hold for`));
  if (sources.length === 0) lines.push(`No modules seen under ${root}: nothing was checked.`);
  const passed = lines.length === 0;
  lines.push(
    `${sources.length} modules, ${totalDependenciesCruised} dependencies, ${violations.length} violations`,
  );
  return { lines, passed };
}

function isOwn(source: string): boolean {
  return ROOMS.some((room) => source.startsWith(`${room}/`));
}

function matchesFrom(rule: IForbiddenRuleType, source: string): boolean {
  if (!('from' in rule)) return false;
  const { path, pathNot } = rule.from;
  return (
    (path === undefined || matches(path, source)) && (pathNot === undefined || !matches(pathNot, source))
  );
}

function matches(patterns: string | string[], source: string): boolean {
  return [patterns].flat().some((pattern) => new RegExp(pattern).test(source));
}
