import { expect, it } from 'vitest';
import { settingsOf } from '../../test/fakes/configs.ts';
import { localModels } from './config/settings.ts';
import { ModelProblems } from './model-problems.ts';

const MIB = 1024 ** 2;

function setUp() {
  const models = localModels(settingsOf('models: { a: { file: /m/a.gguf }, b: { file: /m/b.gguf } }'));
  const fileBytes = new Map<string, number>([
    ['/m/a.gguf', 300 * MIB],
    ['/m/b.gguf', 100 * MIB],
  ]);
  const needed = new Map<string, number>();
  const runtime = {
    budgetBytes: 256 * MIB,
    neededBytes: (id: string) => needed.get(id) ?? null,
    problemOf: (id: string) => ((needed.get(id) ?? 0) > 256 * MIB ? 'by its header' : null),
  };
  const told: string[] = [];
  const files = { of: (path: string) => ({ fileBytes: fileBytes.get(path) ?? null, problem: null }) };
  const problems = new ModelProblems(files, runtime, (text) => told.push(text));
  return { models, needed, runtime, problems, told, of: () => models.map((model) => problems.of(model)) };
}

it('goes by the file until the header was read, then by what the header says', () => {
  const { needed, of } = setUp();
  expect(of()).toEqual([expect.stringMatching(/^the file alone is 300 MiB/), null]);
  needed.set('a', 310 * MIB);
  expect(of()).toEqual(['by its header', null]);
  // More file than model: it fits after all.
  needed.set('a', 200 * MIB);
  expect(of()).toEqual([null, null]);
});

it('tells once for whom the budget is too small, and again when that has changed', () => {
  const { models, needed, runtime, problems, told } = setUp();
  problems.check(models);
  needed.set('a', 310 * MIB);
  problems.check(models);
  expect(told).toEqual([
    'a (300 MiB) is larger than the memory budget of 256 MiB, and cannot be loaded. Raise memory.budget in models.yaml.',
  ]);
  runtime.budgetBytes = 50 * MIB;
  problems.check(models);
  expect(told.at(-1)).toMatch(/^No model fits the memory budget of 50 MiB: the smallest is b \(100 MiB\)\./);
  runtime.budgetBytes = 1024 * MIB;
  problems.check(models);
  expect(told).toHaveLength(2);
});
