import type { EvictionPolicy, SchedulerSettings } from '../../src/main/scheduler/ports.ts';
import { Scheduler } from '../../src/main/scheduler/scheduler.ts';
import { quantile } from '../figures.ts';
import { type FirstComeOptions, FirstComeScheduler } from './first-come.ts';
import { Future } from './future.ts';
import { ALL_BYTES, MODELS } from './models.ts';
import { type EngineTimes, type Outcome, type SimulatedScheduler, simulate } from './simulation.ts';
import { boundsMs } from './wait-bound.ts';
import { type Arrival, type Mix, type TraceRow, workload } from './workload.ts';

/**
 * - `cost-aware`: the scheduler as it ships;
 * - `grouped-lru`: the same with `eviction: lru`, to tell what the choice of victims and what the order of service gives;
 * - `lru`: first come first served, by bytes; the longest unused go;
 * - `lru-strict`: the same, and a request for a model that is there waits behind one for a model that is not;
 * - `lru-count`: as `lru`, and only so many models as can never exceed the budget;
 * - `clairvoyant`: as `lru`, and those go that will be used latest.
 */
export const POLICIES = [
  'cost-aware',
  'grouped-lru',
  'lru',
  'lru-strict',
  'lru-count',
  'clairvoyant',
] as const;
export type Policy = (typeof POLICIES)[number];

export interface CellOptions {
  readonly trace: readonly TraceRow[];
  readonly mix: Mix;
  /** The budget, of all bytes. */
  readonly share: number;
  readonly seeds: readonly number[];
  readonly hours: number;
  readonly perMinute: number;
  readonly times: EngineTimes;
}

/** Over all seeds: loads and bytes are sums, waits are those of all requests. */
export interface Figures {
  readonly loads: number;
  readonly loadedBytes: number;
  readonly meanWaitMs: number;
  readonly p95WaitMs: number;
  readonly p99WaitMs: number;
  readonly longestWaitMs: number;
  /** The most that any request waited, as a share of its bound. */
  readonly shareOfBound: number;
  readonly boundBroken: number;
}

type Compared = 'loads' | 'loadedBytes' | 'meanWaitMs';

const SLOTS = 2;
const MIN_RESIDENCY_MS = 5000;
const BYTES_OF: ReadonlyMap<string, number> = new Map(MODELS.map(({ id, bytes }) => [id, bytes]));

interface Run {
  readonly outcome: Outcome;
  readonly boundsMs: readonly number[];
}

export class Cell {
  readonly mix: Mix;
  readonly share: number;
  readonly peakShare: number;
  readonly #runs: ReadonlyMap<Policy, readonly Run[]>;
  readonly #figures: ReadonlyMap<Policy, Figures>;

  constructor({ mix, share }: CellOptions, runs: ReadonlyMap<Policy, readonly Run[]>) {
    this.mix = mix;
    this.share = share;
    this.#runs = runs;
    this.#figures = new Map([...runs].map(([policy, each]) => [policy, figuresOf(each)]));
    const peaks = [...runs.values()].flat().map(({ outcome }) => outcome.peakBytes);
    this.peakShare = Math.max(...peaks) / budgetOf(share);
  }

  of(policy: Policy): Figures {
    const figures = this.#figures.get(policy);
    if (!figures) throw new Error(`${policy} was not run`);
    return figures;
  }

  /** Of the distance in bytes from `lru` to `clairvoyant`, how much the policy makes good. */
  closed(policy: Policy): number {
    const lru = this.of('lru').loadedBytes;
    return (lru - this.of(policy).loadedBytes) / (lru - this.of('clairvoyant').loadedBytes);
  }

  /** How much more (or, below 0, less) of it `cost-aware` has. */
  change(what: Compared, than: Policy): number {
    return this.of('cost-aware')[what] / this.of(than)[what] - 1;
  }

  /** In how many seeds `cost-aware` has more of it than `lru`. */
  worse(what: Compared): number {
    const [ours, theirs] = (['cost-aware', 'lru'] as const).map((policy) =>
      (this.#runs.get(policy) ?? []).map((run) => figuresOf([run])[what]),
    );
    return (ours ?? []).filter((value, seed) => value > (theirs?.[seed] ?? 0)).length;
  }
}

export function runCell(options: CellOptions): Cell {
  const { trace, mix, share, seeds, hours, perMinute, times } = options;
  const runs = new Map<Policy, Run[]>(POLICIES.map((policy) => [policy, []]));
  for (const seed of seeds) {
    const arrivals = workload(trace, { mix, seed, hours, perMinute });
    for (const policy of POLICIES) {
      const outcome = simulate(schedulerOf(policy, budgetOf(share), arrivals), arrivals, times);
      runs.get(policy)?.push({ outcome, boundsMs: boundsMs(arrivals, outcome, times, MIN_RESIDENCY_MS) });
    }
  }
  return new Cell(options, runs);
}

function budgetOf(share: number): number {
  return Math.floor(ALL_BYTES * share);
}

function schedulerOf(policy: Policy, budgetBytes: number, arrivals: readonly Arrival[]): SimulatedScheduler {
  const firstCome: FirstComeOptions = {
    budgetBytes,
    maxModels: MODELS.length,
    slots: SLOTS,
    bytesOf: BYTES_OF,
    rank: ({ lastUsedMs }) => lastUsedMs,
    strict: false,
  };
  switch (policy) {
    case 'cost-aware':
      return realScheduler(budgetBytes, 'cost-aware');
    case 'grouped-lru':
      return realScheduler(budgetBytes, 'lru');
    case 'lru':
      return new FirstComeScheduler(firstCome);
    case 'lru-strict':
      return new FirstComeScheduler({ ...firstCome, strict: true });
    case 'lru-count':
      return new FirstComeScheduler({ ...firstCome, maxModels: modelsThatAlwaysFit(budgetBytes) });
    case 'clairvoyant': {
      const future = new Future(arrivals);
      return new FirstComeScheduler({ ...firstCome, rank: ({ id }, nowMs) => -future.nextUseMs(id, nowMs) });
    }
  }
}

function realScheduler(budgetBytes: number, eviction: EvictionPolicy): Scheduler {
  const settings: SchedulerSettings = {
    budgetBytes,
    eviction,
    maxLoadedModels: MODELS.length,
    // Nobody is turned away, so that long waits are seen as what they are.
    maxQueue: 1_000_000,
    maxWaitMs: 1e12,
    minResidencyMs: MIN_RESIDENCY_MS,
    standbyEngines: 0,
    standbyBytes: 0,
  };
  const scheduler = new Scheduler(settings);
  const models = MODELS.map(({ id }) => ({
    id,
    slots: SLOTS,
    pinned: false,
    idleUnloadMs: null,
    memoryKey: id,
  }));
  scheduler.handle({ type: 'configChanged', settings, models }, 0);
  return scheduler;
}

/** The largest number of models that can never exceed the budget, whichever they are. */
function modelsThatAlwaysFit(budgetBytes: number): number {
  let bytes = 0;
  const largestFirst = MODELS.map((model) => model.bytes).toSorted((a, b) => b - a);
  const tooMany = largestFirst.findIndex((size) => {
    bytes += size;
    return bytes > budgetBytes;
  });
  return tooMany === -1 ? MODELS.length : tooMany;
}

function figuresOf(runs: readonly Run[]): Figures {
  const waitsMs = runs.flatMap(({ outcome }) => outcome.waitsMs);
  const shares = runs.flatMap(({ outcome, boundsMs }) =>
    boundsMs.map((boundMs, index) => (outcome.waitsMs[index] ?? 0) / boundMs),
  );
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    loads: sum(runs.map(({ outcome }) => outcome.loads)),
    loadedBytes: sum(runs.map(({ outcome }) => outcome.loadedBytes)),
    meanWaitMs: sum(waitsMs) / waitsMs.length,
    p95WaitMs: quantile(waitsMs, 0.95),
    p99WaitMs: quantile(waitsMs, 0.99),
    longestWaitMs: waitsMs.reduce((longest, wait) => Math.max(longest, wait), 0),
    shareOfBound: shares.reduce((most, share) => Math.max(most, share), 0),
    boundBroken: shares.filter((share) => share > 1).length,
  };
}
