import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/main/clock.ts';
import { DataStore } from '../../src/main/usage/data-store.ts';
import { UsageLog } from '../../src/main/usage/usage-log.ts';
import { fakeTry, fakeUsageRow } from '../fakes/usage-rows.ts';

/*
 * Records requests into the database that the argument names, 2,000 a second, until it is killed or its standard input
 * ends. A line for what has happened, before anything else can happen: `recorded ID MS`, `written ID`, `said TEXT`.
 */

const TICK_MS = 5;
const ROWS_A_TICK = 10;

const file = process.argv[2];
if (file === undefined) throw new Error('name the database');
const say = (line: string) => writeSync(1, `${line}\n`);

const store = await DataStore.open({
  file,
  threadModule: join(import.meta.dirname, '../../src/main/usage/thread/main.ts'),
});
const call: DataStore['call'] = (name, input) => {
  const answer = store.call(name, input);
  // The log asks for nothing but writing.
  const last = Array.isArray(input) ? input.at(-1)?.id : null;
  answer.then(
    () => say(`written ${last}`),
    () => undefined,
  );
  return answer;
};
const log = new UsageLog({
  clock: systemClock,
  store: { call, lastRequestId: store.lastRequestId },
  keepsTexts: () => true,
  onTrouble: (text) => say(`said ${text}`),
});

let id = store.lastRequestId;
const recording = systemClock.every(TICK_MS, () => {
  for (let count = 0; count < ROWS_A_TICK; count++) {
    id += 1;
    log.record(
      fakeUsageRow({
        requestId: `req-${id}`,
        atMs: systemClock.nowMs(),
        tries: [fakeTry({ status: 'error', firstTokenMs: null }), fakeTry({ costNanoDollars: id })],
        text: { prompt: `prompt ${id}`, answer: `answer ${id}` },
      }),
    );
  }
  say(`recorded ${id} ${Date.now()}`);
});

createInterface({ input: process.stdin }).once('close', async () => {
  recording[Symbol.dispose]();
  await log.close();
  await store.close();
  say(`lost ${log.lostRows}`);
});
