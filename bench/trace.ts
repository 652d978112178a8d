import { parseArgs } from 'node:util';
import { checkBound, median, printTable } from './figures.ts';
import { type Cell, POLICIES, runCell } from './trace/cells.ts';
import { ALL_BYTES, MODELS } from './trace/models.ts';
import { type Mix, readTrace, syntheticTrace } from './trace/workload.ts';

/*
 * A day of requests for 16 models, for each of two mixes, three budgets and several seeds, against the scheduler and
 * against other ways to decide, in simulated time. README.md here says how to read it.
 */

const MIXES: readonly Mix[] = ['fixed', 'shifting'];
const SHARES = [0.25, 0.5, 0.75] as const;

const { values } = parseArgs({
  options: {
    trace: { type: 'string', default: '../shared/traces/AzureLLMInferenceTrace_code.csv' },
    seeds: { type: 'string', default: '1,2,3,4,5,6,7,8,9,10' },
    hours: { type: 'string', default: '24' },
    'per-minute': { type: 'string', default: '3' },
    'gb-per-s': { type: 'string', default: '5' },
    'load-constant-ms': { type: 'string', default: '500' },
  },
});
const seeds = values.seeds.split(',').map(Number);
const hours = Number(values.hours);
const perMinute = Number(values['per-minute']);
const times = {
  bytesPerS: Number(values['gb-per-s']) * 1e9,
  constantMs: Number(values['load-constant-ms']),
  stopMs: 100,
};

const recorded = readTrace(values.trace);
const trace = recorded ?? syntheticTrace(9000, 1);
console.log(
  recorded
    ? 'Arrivals: AzureLLMInferenceTrace_code (CC-BY 4.0; Patel et al., "Splitwise: Efficient generative LLM inference using phase splitting", ISCA 2024), stretched.'
    : `Arrivals: made up, at random, because ${values.trace} is not there.`,
);
console.log(
  `${MODELS.length} models of ${(ALL_BYTES / 1024 ** 3).toFixed(1)} GiB together, ${perMinute} requests a minute for ${hours} h, ${seeds.length} seeds; a load takes ${times.constantMs} ms and its bytes at ${values['gb-per-s']} GB/s.\n`,
);

const cells: Cell[] = [];
for (const mix of MIXES) {
  for (const share of SHARES) cells.push(runCell({ trace, mix, share, seeds, hours, perMinute, times }));
}

const seconds = (ms: number) => (ms / 1000).toFixed(1);
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
printTable(
  [
    'mix, budget',
    'policy',
    'loads',
    'GiB',
    'closed',
    'mean s',
    'p95 s',
    'p99 s',
    'longest s',
    'of bound',
    'broken',
  ],
  cells.flatMap((cell) =>
    POLICIES.map((policy) => {
      const figures = cell.of(policy);
      return [
        `${cell.mix}, ${percent(cell.share)}`,
        policy,
        figures.loads,
        (figures.loadedBytes / 1024 ** 3).toFixed(0),
        percent(cell.closed(policy)),
        seconds(figures.meanWaitMs),
        seconds(figures.p95WaitMs),
        seconds(figures.p99WaitMs),
        seconds(figures.longestWaitMs),
        percent(figures.shareOfBound),
        figures.boundBroken,
      ];
    }),
  ),
);

console.log('\ncost-aware against lru, cell by cell; "worse" counts the seeds in which it was');
printTable(
  [
    'mix, budget',
    'loads',
    'bytes',
    'mean wait',
    'worse in loads',
    'in bytes',
    'in wait',
    'wait against lru-count',
  ],
  cells.map((cell) => [
    `${cell.mix}, ${percent(cell.share)}`,
    percent(cell.change('loads', 'lru')),
    percent(cell.change('loadedBytes', 'lru')),
    percent(cell.change('meanWaitMs', 'lru')),
    cell.worse('loads'),
    cell.worse('loadedBytes'),
    cell.worse('meanWaitMs'),
    percent(cell.change('meanWaitMs', 'lru-count')),
  ]),
);

console.log('');
for (const cell of cells) {
  const name = `${cell.mix}, ${percent(cell.share)}`;
  checkBound(
    `${name}: loads of cost-aware, of those of lru`,
    1 + cell.change('loads', 'lru'),
    0.995,
    'at most',
  );
  checkBound(
    `${name}: bytes loaded, of those of lru`,
    1 + cell.change('loadedBytes', 'lru'),
    0.995,
    'at most',
  );
  checkBound(`${name}: mean wait, of that of lru`, 1 + cell.change('meanWaitMs', 'lru'), 1, 'at most');
  checkBound(`${name}: waits beyond the bound`, cell.of('cost-aware').boundBroken, 0, 'at most');
}
const changes = cells.map((cell) => cell.change('loads', 'lru')).toSorted((a, b) => a - b);
// Of six cells the third and the fourth are the middle: the worse of them counts.
checkBound('loads in the median cell, of those of lru', 1 + median(changes), 0.8, 'at most');
checkBound(
  'the most bytes held at once, of the budget',
  Math.max(...cells.map((cell) => cell.peakShare)),
  1,
  'at most',
);
