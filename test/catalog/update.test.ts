import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mergePrices, type PriceEntry } from '../../scripts/catalog/price-entry.ts';
import { loadCatalog } from '../../src/main/catalog/load.ts';

/*
 * `npm run catalog:update`, with the package that it takes prices from, on a copy of the shipped catalog.
 */

const run = promisify(execFile);
let dir: string;

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'catalog-update-')), 'catalog');
  await cp('resources/catalog', dir, { recursive: true });
});
afterEach(() => rm(join(dir, '..'), { recursive: true }));

async function update(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['scripts/catalog-update.ts', '--dir', dir, ...args]);
  return stdout;
}

async function textsOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.yaml')).sort();
  const texts = names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
}

test('the shipped catalog has every price of the package: nothing is new, and no file changes', async () => {
  const before = await textsOf(dir);
  expect(await update()).toMatch(/^Nothing is new in @pydantic\/genai-prices@/);
  expect(await textsOf(dir)).toEqual(before);
});

test('what is lost comes back, with comments and history kept; a second time nothing is new', async () => {
  const file = join(dir, 'pricing', 'anthropic.yaml');
  const before = await readFile(file, 'utf8');
  // As if it were not known yet: the price that holds since March, behind which the history stays.
  const since = before.indexOf('    - effectiveDate: 2026-03-13', before.indexOf('  claude-opus-4-6:'));
  const end = before.indexOf('\n  claude-', since) + 1;
  const lost = `${before.slice(0, since)}${before.slice(end)}`.replace(
    '  claude-opus-4-6:\n',
    '  # Asked our account manager.\n  claude-opus-4-6:\n',
  );
  await writeFile(file, lost);
  expect(await update()).toBe('anthropic/claude-opus-4-6: from 2026-03-13 on 5 in, 25 out\n');
  const after = await readFile(file, 'utf8');
  expect(after.replace('  # Asked our account manager.\n', '')).toBe(before);
  expect(await update()).toMatch(/^Nothing is new/);
});

test('a model of the package is added with one price and nothing claimed', async () => {
  expect(await update('--add', 'openai/gpt-audio')).toContain(
    'openai/gpt-audio: from 2026-09-23 on 2.5 in, 10 out',
  );
  const { catalog, problems } = await loadCatalog({ shippedDir: dir, userDir: join(dir, 'none') });
  expect(problems).toEqual([]);
  const model = catalog.get('openai', 'gpt-audio');
  expect(model).toMatchObject({ name: 'GPT Audio', contextTokens: 128_000, lastVerified: '2026-09-23' });
  const { large_context, extra_large_context, ...others } = model?.capabilities ?? {};
  expect(new Set(Object.values(others))).toEqual(new Set(['unknown']));
  expect(model?.prices[0]?.notes).toContain('audio input 32');
  await expect(update('--add', 'openai/gpt-audio')).rejects.toThrow(/is there already/);
  await expect(update('--add', 'openai/nonsense')).rejects.toThrow(/knows no model openai\/nonsense/);
});

describe('merging', () => {
  const entry = fc.record({
    effectiveDate: fc.constantFrom('2026-01-01', '2026-02-01', '2026-03-01', '2026-04-01'),
    input: fc.constantFrom('1', '2', '2.0'),
    output: fc.constantFrom('3', '4'),
  });
  const inOrder = fc
    .array(entry, { maxLength: 5 })
    .map((entries): readonly PriceEntry[] =>
      entries.toSorted((a, b) => a.effectiveDate.localeCompare(b.effectiveDate)),
    );

  test('keeps all that is there in its order, and the same again adds nothing', () => {
    let grew = 0;
    fc.assert(
      fc.property(inOrder, inOrder, (known, seed) => {
        const { entries, added } = mergePrices(known, seed);
        expect(entries.filter((one) => known.includes(one))).toEqual(known);
        const dates = entries.map(({ effectiveDate }) => effectiveDate);
        expect(dates).toEqual(dates.toSorted());
        expect(entries.length > known.length).toBe(added.length > 0);
        const again = mergePrices(entries, seed);
        expect([again.entries, again.added]).toEqual([entries, []]);
        if (added.length > 0) grew++;
      }),
    );
    expect(grew).toBeGreaterThan(10);
  });

  test('a price that is in force is not repeated; another on the same day is disputed', () => {
    const known: PriceEntry = { effectiveDate: '2026-01-01', input: '2.0', output: '8', cachedInput: '2' };
    const seed: PriceEntry = { effectiveDate: '2026-05-01', input: '2', output: '8', source: 'x' };
    expect(mergePrices([known], [seed])).toEqual({ entries: [known], added: [], disputed: [] });
    const other: PriceEntry = { ...known, input: '3' };
    expect(mergePrices([known], [other])).toEqual({ entries: [known], added: [], disputed: ['2026-01-01'] });
    const dearer: PriceEntry = { ...seed, output: '9' };
    expect(mergePrices([known], [dearer]).entries).toEqual([known, dearer]);
  });
});
