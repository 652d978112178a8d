import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { linuxFootprint } from '../src/main/memory/probe-linux.ts';
import type { DecisionView, Snapshot } from '../src/shared/contract.ts';
import { formatBytes } from '../src/shared/units.ts';
import { serveApp } from '../test/harness/served-app.ts';
import { checkBound, printTable, quantile } from './figures.ts';
import { type ModelRecipe, makeModel } from './make-model.ts';
import { createRandom } from './make-tokenizer.ts';
import { oneConnection, timedChat } from './timed-chat.ts';

/*
 * A random load over eight models with a budget for three, looked at from outside: what all of the app's children hold,
 * the standby and the header readers included, every 100 ms. The budget may never be passed by more than 2 %.
 */

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const durationMs = Number(values.minutes) * 60_000;
const random = createRandom(Number(values.seed));

const SAMPLE_INTERVAL_MS = 100;
const CLIENTS = 4;
const CONTEXT_SIZE = 2048;
const RECIPES: readonly ModelRecipe[] = [
  { shape: '15m', type: 'f16', vocab: '512' },
  { shape: '15m', type: 'q8_0', vocab: '512' },
  { shape: '15m', type: 'f16', vocab: '32k' },
  { shape: '15m', type: 'q8_0', vocab: '32k' },
  { shape: '15m', type: 'f16', vocab: '32k', tokenizer: 'spm' },
  { shape: '135m', type: 'q8_0', vocab: '512' },
  { shape: '135m', type: 'f16', vocab: '512' },
  { shape: '15m', type: 'f16', vocab: '128k' },
];

const dir = await mkdtemp(join(tmpdir(), 'roundhouse-soak-'));
const ids = RECIPES.map((_, index) => `m${index}`);
for (const [index, recipe] of RECIPES.entries())
  makeModel({ ...recipe, seed: index + 1 }, join(dir, `m${index}.gguf`));

const models = ids.map(
  (id) => `  ${id}: { file: '${dir}/${id}.gguf', contextSize: ${CONTEXT_SIZE}, parallel: 2, batchSize: 128 }`,
);
const budgetMib = await budgetForThree();
{
  await using app = await serveApp(yaml(`${budgetMib}MiB`));
  const { memory } = await app.admin<Snapshot>('app.snapshot', {});
  const endMs = performance.now() + durationMs;
  const samples: { bytes: number; processes: number }[] = [];
  const firstTokens: number[] = [];
  const failures: string[] = [];

  await Promise.all([
    sample(app.pid, endMs, samples),
    ...Array.from({ length: CLIENTS }, () => client(app.url, endMs, firstTokens, failures)),
  ]);

  const decisions = await app.admin<DecisionView[]>('decisions.list', {});
  const most = Math.max(...samples.map(({ bytes }) => bytes));
  printTable(
    ['figure', 'value'],
    [
      ['minutes', values.minutes],
      ['requests answered', firstTokens.length],
      ['requests failed', failures.length],
      ['budget', formatBytes(memory.budgetBytes)],
      ['samples', samples.length],
      [
        'held, median',
        formatBytes(
          quantile(
            samples.map(({ bytes }) => bytes),
            0.5,
          ),
        ),
      ],
      ['held, most', formatBytes(most)],
      ['processes at once, most', Math.max(...samples.map(({ processes }) => processes))],
      ['first token, median ms', quantile(firstTokens, 0.5).toFixed(0)],
      ['first token, p95 ms', quantile(firstTokens, 0.95).toFixed(0)],
      [
        'evictions among the last thousand decisions',
        decisions.filter(({ text }) => / to load /.test(text)).length,
      ],
    ],
  );
  for (const failure of failures.slice(0, 5)) console.log(`failed: ${failure}`);
  checkBound('most that was held, as a share of the budget', most / memory.budgetBytes, 1.02, 'at most');
  checkBound('failed requests', failures.length, 0, 'at most');
  checkBound('evictions', decisions.filter(({ text }) => / to load /.test(text)).length, 10, 'at least');
  const children = await childrenOf(app.pid);
  await app.stop();
  const left = children.filter((pid) => isAlive(pid));
  checkBound('engines left over', left.length, 0, 'at most');
}
await rm(dir, { recursive: true });

function yaml(budget: string): string {
  return `version: 1\nmemory: { budget: ${budget}, maxLoadedModels: 8, minResidency: 0s }\nmodels:\n${models.join('\n')}\n`;
}

/** Room for the three largest models, and no fourth: three and a half times the mean, but never less than the largest. */
async function budgetForThree(): Promise<number> {
  await using app = await serveApp(yaml('8GiB'));
  const needed: number[] = [];
  for (const id of ids) {
    const plan = await app.admin<{ neededBytes: number }>('models.plan', { id });
    needed.push(plan.neededBytes);
  }
  const mean = needed.reduce((sum, bytes) => sum + bytes, 0) / needed.length;
  return Math.ceil(Math.max(3.3 * mean, 1.3 * Math.max(...needed)) / 1024 ** 2);
}

async function client(url: string, endMs: number, firstTokens: number[], failures: string[]): Promise<void> {
  const connection = oneConnection();
  while (performance.now() < endMs) {
    // A few favourites, as people have them.
    const id = ids[Math.floor(random() ** 2 * ids.length)] ?? 'm0';
    const words = 'tell me about the house by the river '.repeat(1 + Math.floor(random() * 40));
    try {
      const { firstTokenMs } = await timedChat(url, id, words, 1 + Math.floor(random() * 30), connection);
      firstTokens.push(firstTokenMs);
    } catch (error) {
      failures.push(`${id}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (random() < 0.2) await new Promise((resolve) => setTimeout(resolve, random() * 2000));
  }
}

async function sample(
  pid: number,
  endMs: number,
  samples: { bytes: number; processes: number }[],
): Promise<void> {
  while (performance.now() < endMs) {
    const nextMs = performance.now() + SAMPLE_INTERVAL_MS;
    const footprints = await Promise.all((await childrenOf(pid)).map(linuxFootprint));
    const held = footprints.map((footprint) => footprint?.totalBytes ?? 0);
    samples.push({ bytes: held.reduce((sum, bytes) => sum + bytes, 0), processes: held.length });
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextMs - performance.now())));
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
