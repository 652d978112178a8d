import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { systemClock } from '../src/main/clock.ts';
import { DataStore } from '../src/main/usage/data-store.ts';
import { migrate } from '../src/main/usage/open-database.ts';
import { createCalls } from '../src/main/usage/thread/calls.ts';
import { COMMIT_MS, UsageLog } from '../src/main/usage/usage-log.ts';
import { detailOf } from '../src/main/usage/usage-row.ts';
import { fakeTry, fakeUsageRow } from '../test/fakes/usage-rows.ts';
import { checkBound, median, printTable, quantile } from './figures.ts';

/*
 * What recording usage costs the streams that are being served: 2,000 requests a second are recorded while timers of a
 * millisecond run, in turns with the same timers alone, and with the rows written in the app's own thread instead. Then
 * how much the database takes when nothing else is asked of it, and how long rows wait behind a question over all of them.
 */

const ROUNDS = 7;
const ROUND_MS = 3000;
const ROWS_A_SECOND = 2000;
const TICK_MS = 5;
const FLAT_OUT_ROWS = 100_000;

const dir = mkdtempSync(join(tmpdir(), 'roundhouse-usage-'));
const store = await DataStore.open({
  file: join(dir, 'roundhouse.db'),
  threadModule: join(import.meta.dirname, '../src/main/usage/thread/main.ts'),
});

let recorded = 0;
function row() {
  recorded += 1;
  const model = `model-${recorded % 7}`;
  return fakeUsageRow({
    requestId: `chatcmpl-${recorded.toString(36).padStart(24, '0')}`,
    atMs: Date.now(),
    user: `user-${recorded % 50}`,
    tries: [fakeTry({ model, totalMs: 900 + (recorded % 100), costNanoDollars: recorded % 5000 })],
  });
}

/** From the call that hands rows over to the answer that they are on the disk, and the wait before it. */
const commitMs: number[] = [];
const call: DataStore['call'] = (name, input) => {
  const askedMs = performance.now();
  const answer = store.call(name, input);
  if (name === 'write') void answer.then(() => commitMs.push(performance.now() - askedMs + COMMIT_MS));
  return answer;
};
const log = new UsageLog({
  clock: systemClock,
  store: { call, lastRequestId: store.lastRequestId },
  keepsTexts: () => false,
  onTrouble: (text) => console.log(text),
});

interface Round {
  readonly worstMs: number;
  readonly p99Ms: number;
  readonly busyShare: number;
}

/** Timers of a millisecond, and how much later than that each came. */
async function round(work: () => void): Promise<Round> {
  const before = performance.eventLoopUtilization();
  const lateMs: number[] = [];
  let lastMs = performance.now();
  const stream = setInterval(() => {
    const nowMs = performance.now();
    lateMs.push(Math.max(0, nowMs - lastMs - 1));
    lastMs = nowMs;
  }, 1);
  const working = setInterval(work, TICK_MS);
  await sleep(ROUND_MS);
  clearInterval(stream);
  clearInterval(working);
  const { utilization } = performance.eventLoopUtilization(before);
  await sleep(2 * COMMIT_MS);
  return { worstMs: quantile(lateMs, 1), p99Ms: quantile(lateMs, 0.99), busyShare: utilization };
}

/** The rows of one tick; it catches up with ticks that came late. */
function paced(take: () => void): () => void {
  let owed = 0;
  let lastMs = performance.now();
  return () => {
    const nowMs = performance.now();
    owed += Math.min(nowMs - lastMs, 1000) * (ROWS_A_SECOND / 1000);
    lastMs = nowMs;
    for (; owed >= 1; owed--) take();
  };
}

const inMain = new Database(join(dir, 'in-main.db'));
inMain.pragma('journal_mode = WAL');
inMain.pragma('synchronous = FULL');
migrate(inMain);
const { write } = createCalls(inMain);
let waiting: ReturnType<typeof detailOf>[] = [];
const writeInMain = paced(() => waiting.push(detailOf(row(), recorded)));

const kinds = {
  alone: () => () => undefined,
  recording: () => paced(() => log.record(row())),
  'in the own thread': () => {
    let sinceMs = performance.now();
    return () => {
      writeInMain();
      if (performance.now() - sinceMs < COMMIT_MS) return;
      sinceMs = performance.now();
      write(waiting);
      waiting = [];
    };
  },
} as const;

const rounds = { alone: [], recording: [], 'in the own thread': [] } as Record<keyof typeof kinds, Round[]>;
for (let index = 0; index <= ROUNDS; index++) {
  for (const name of ['alone', 'recording', 'in the own thread'] as const) {
    const figures = await round(kinds[name]());
    // The first of each warms up.
    if (index > 0) rounds[name].push(figures);
  }
}
inMain.close();

const figure = (name: keyof typeof kinds, of: keyof Round) => {
  const values = rounds[name].map((one) => one[of]);
  // What else runs on the machine makes blocks longer, never shorter: the quietest round says what is our own.
  return of === 'worstMs' ? Math.min(...values) : median(values);
};
printTable(
  ['', 'longest block ms (quietest round)', 'p99 late ms', 'loop busy %'],
  (['alone', 'recording', 'in the own thread'] as const).map((name) => [
    name,
    figure(name, 'worstMs').toFixed(2),
    figure(name, 'p99Ms').toFixed(2),
    (figure(name, 'busyShare') * 100).toFixed(1),
  ]),
);
const pacedCommits = [...commitMs];

// As fast as the database takes them: the next thousand when no more than five are on their way.
const flatOut = Array.from({ length: 1000 }, () => row());
const flatStore: Promise<unknown>[] = [];
let nextId = 10_000_000;
const startMs = performance.now();
for (let done = 0; done < FLAT_OUT_ROWS; done += flatOut.length) {
  flatStore.push(
    store.call(
      'write',
      flatOut.map((one) => detailOf(one, ++nextId)),
    ),
  );
  if (flatStore.length > 5) await flatStore.shift();
}
await Promise.all(flatStore);
const rowsPerSecond = FLAT_OUT_ROWS / ((performance.now() - startMs) / 1000);

// Questions over everything, while rows go on coming.
commitMs.length = 0;
const range = { fromMs: Date.now() - 3600e3, toMs: Date.now() };
const askedMs = performance.now();
const asked = Promise.all([
  store.call('costs', { ...range, by: 'model' }),
  store.call('latency', { ...range, by: 'model' }),
]).then(([{ total }]) => ({ requests: total.requests, answeredMs: performance.now() - askedMs }));
const meanwhile = await round(paced(() => log.record(row())));
const { requests, answeredMs } = await asked;
const behindMs = Math.max(...commitMs);
await log.close();
await store.close();
rmSync(dir, { recursive: true });

const blocks = figure('in the own thread', 'worstMs') / figure('recording', 'worstMs');
console.log(`written in the own thread instead, rows block it ${blocks.toFixed(1)} times as long`);
console.log(
  `costs and latency of ${requests} requests, asked at once: ${answeredMs.toFixed(0)} ms; ` +
    `longest block in the round: ${meanwhile.worstMs.toFixed(1)} ms`,
);
checkBound('rows/s, flat out', rowsPerSecond, ROWS_A_SECOND, 'at least');
checkBound('rows lost', log.lostRows, 0, 'at most');
checkBound(
  'longest block with recording, beyond that without, ms',
  figure('recording', 'worstMs') - figure('alone', 'worstMs'),
  4,
  'at most',
);
checkBound(
  'the loop is busier by, % of the time',
  (figure('recording', 'busyShare') - figure('alone', 'busyShare')) * 100,
  10,
  'at most',
);
checkBound('from recording to the disk, ms (the longest)', Math.max(...pacedCommits), 250, 'at most');
checkBound('the same behind those questions, ms', behindMs, 250, 'at most');
