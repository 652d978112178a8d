import { decide } from '../src/main/scheduler/decide.ts';
import { Demand } from '../src/main/scheduler/demand.ts';
import { LoadTimes } from '../src/main/scheduler/load-times.ts';
import type { ModelSpec, SchedulerEvent, SchedulerSettings } from '../src/main/scheduler/ports.ts';
import { Scheduler } from '../src/main/scheduler/scheduler.ts';
import { Situation } from '../src/main/scheduler/situation.ts';
import { WAITING } from '../src/main/scheduler/turns.ts';
import { NO_ROOM, type SchedulerView } from '../src/main/scheduler/view.ts';
import { checkBound, median, quantile } from './figures.ts';
import { createRandom } from './trace/random.ts';

/*
 * How long deciding takes when there is much to look at: 100 models, 30 of them loaded, 70 waited for by 1,000 requests.
 */

const MODELS = 100;
const RESIDENT = 30;
const BUSY = 10;
const WAITERS = 1000;
const ROUNDS = 100;
const GIB = 1024 ** 3;

const random = createRandom(1);
const idOf = (index: number) => `model-${index}`;
const sizes = Array.from({ length: MODELS }, () => Math.round((0.5 + 19.5 * random() ** 2) * GIB));
const residentBytes = sizes.slice(0, RESIDENT).reduce((sum, bytes) => sum + bytes, 0);
const settings: SchedulerSettings = {
  // Room for what is loaded, with the margin until it was measured, and for nothing more.
  budgetBytes: Math.ceil(residentBytes * 1.1) + RESIDENT,
  eviction: 'cost-aware',
  maxLoadedModels: MODELS,
  maxQueue: 10 * WAITERS,
  maxWaitMs: 1e12,
  // Nothing goes while the state is set up, and while whole events are timed.
  minResidencyMs: 1e12,
  standbyEngines: 0,
  standbyBytes: 0,
};
const models = sizes.map(
  (_, index): ModelSpec => ({
    id: idOf(index),
    slots: 2,
    pinned: false,
    idleUnloadMs: null,
    memoryKey: idOf(index),
  }),
);

const scheduler = new Scheduler(settings);
const demand = new Demand();
const loadTimes = new LoadTimes();
let nowMs = 0;
let lastId = 0;
const send = (event: SchedulerEvent) => scheduler.handle(event, nowMs);
const request = (index: number) => send({ type: 'requested', requestId: ++lastId, modelId: idOf(index) });

send({ type: 'configChanged', settings, models });
for (const [index, bytes] of sizes.entries()) {
  request(index);
  send({ type: 'cancelled', requestId: lastId });
  send({ type: 'estimated', modelId: idOf(index), bytes, learned: false });
}
for (let index = 0; index < RESIDENT; index++) {
  request(index);
  const loadMs = 500 + (sizes[index] ?? 0) / 5e6;
  nowMs += loadMs;
  send({ type: 'loaded', modelId: idOf(index) });
  loadTimes.loaded(idOf(index), sizes[index] ?? 0, loadMs);
  if (index >= BUSY) send({ type: 'released', requestId: lastId });
}
for (let use = 0; use < 5000; use++) demand.asked(idOf(Math.floor(random() ** 2 * MODELS)));
for (let waiter = 0; waiter < WAITERS; waiter++) request(RESIDENT + (waiter % (MODELS - RESIDENT)));

const all = [...scheduler.models.values()];
const waiting = all.filter(({ waiters }) => waiters > 0);
const waiters = waiting.reduce((sum, entry) => sum + entry.waiters, 0);
const resident = all.filter(({ state }) => state.status === 'ready');
if (waiters !== WAITERS || resident.length !== RESIDENT)
  throw new Error('the state is not the one to be timed');

function microseconds(work: () => void): number {
  const startMs = performance.now();
  work();
  return (performance.now() - startMs) * 1000;
}

const view: SchedulerView = {
  nowMs,
  budgetBytes: settings.budgetBytes,
  limitBytes: settings.budgetBytes,
  freeBytes: scheduler.ledger.freeBytes,
  maxLoadedModels: settings.maxLoadedModels,
  minResidencyMs: 0,
  standbyBytes: 0,
  eviction: settings.eviction,
  models: scheduler.models,
  loadMs: (model) => loadTimes.of(model.id, model.lineBytes),
  lossMs: (model) => demand.shareOf(model.id) * (loadTimes.of(model.id, model.lineBytes) + loadTimes.meanMs),
};
let evictions = 0;
const decisions: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  for (const model of waiting) {
    decisions.push(
      microseconds(() => {
        const decision = decide(model, new Situation(view), NO_ROOM, WAITING);
        if (decision.type === 'evict') evictions += decision.victims.length;
      }),
    );
  }
}

const arrivals: number[] = [];
const releases: number[] = [];
for (let round = 0; round < 20 * ROUNDS; round++) {
  const busy = round % BUSY;
  arrivals.push(microseconds(() => request(RESIDENT + (round % (MODELS - RESIDENT)))));
  send({ type: 'cancelled', requestId: lastId });
  request(busy);
  releases.push(microseconds(() => send({ type: 'released', requestId: lastId })));
}

const figures = (values: readonly number[]) =>
  `median ${median(values).toFixed(1)} µs, p99 ${quantile(values, 0.99).toFixed(1)} µs`;
console.log(
  `${MODELS} models, ${RESIDENT} loaded (${BUSY} busy), ${waiting.length} waited for by ${waiters} requests`,
);
console.log(
  `decide with evict, from nothing: ${figures(decisions)}; ${(evictions / decisions.length).toFixed(1)} victims each`,
);
console.log(`a whole event: an arrival ${figures(arrivals)}; the end of a request ${figures(releases)}`);
checkBound('decide with evict, µs (median)', median(decisions), 50, 'at most');
