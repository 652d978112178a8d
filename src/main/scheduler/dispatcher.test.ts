import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { Dispatcher, type EffectPort } from './dispatcher.ts';
import type { ModelSpec, SchedulerEvent, SchedulerSettings } from './ports.ts';
import { Scheduler } from './scheduler.ts';

const MIB = 1024 ** 2;
const SETTINGS: SchedulerSettings = {
  budgetBytes: 1000 * MIB,
  eviction: 'cost-aware',
  maxLoadedModels: 1,
  maxQueue: 100,
  maxWaitMs: 60_000,
  minResidencyMs: 0,
  standbyEngines: 0,
  standbyBytes: 100 * MIB,
};
const NEVER = new AbortController().signal;

const spec = (id: string, overrides: Partial<ModelSpec> = {}): ModelSpec => ({
  id,
  slots: 1,
  pinned: false,
  idleUnloadMs: null,
  memoryKey: id,
  ...overrides,
});

/** Records what the scheduler hears, and fails when it hears one thing inside another. */
class WatchedScheduler extends Scheduler {
  readonly heard: SchedulerEvent[] = [];
  #busy = false;

  override handle(event: SchedulerEvent, nowMs: number) {
    expect(this.#busy).toBe(false);
    this.#busy = true;
    this.heard.push(event);
    try {
      return super.handle(event, nowMs);
    } finally {
      this.#busy = false;
    }
  }

  countOf(type: SchedulerEvent['type']): number {
    return this.heard.filter((event) => event.type === type).length;
  }
}

/** Engines that do everything at once, inside the effect that asks for it: the hardest order there is. */
function setUp(models = [spec('a'), spec('b')], overrides: Partial<EffectPort> = {}) {
  const clock = new ManualClock();
  const scheduler = new WatchedScheduler(SETTINGS);
  const calls: string[] = [];
  let settled = 0;
  const port: EffectPort = {
    estimate(modelId) {
      calls.push(`estimate ${modelId}`);
      dispatcher.dispatch({ type: 'estimated', modelId, bytes: MIB, learned: false });
    },
    load(modelId) {
      calls.push(`load ${modelId}`);
      dispatcher.dispatch({ type: 'loaded', modelId });
    },
    stop(modelId) {
      calls.push(`stop ${modelId}`);
      dispatcher.dispatch({ type: 'exited', modelId, kept: false, reason: null });
    },
    startStandby: () => calls.push('startStandby'),
    stopStandby: () => calls.push('stopStandby'),
    explain: () => {},
    ...overrides,
  };
  const dispatcher: Dispatcher = new Dispatcher(scheduler, clock, port, () => void settled++);
  dispatcher.dispatch({ type: 'configChanged', settings: SETTINGS, models });
  return {
    clock,
    scheduler,
    dispatcher,
    calls,
    settledCount: () => settled,
    leases: (modelId: string) => scheduler.models.get(modelId)?.activeLeases,
  };
}

async function refusalOf(promise: Promise<unknown>): Promise<RoundhouseError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof RoundhouseError) return error;
  throw new Error(`it was not refused: ${String(error)}`);
}

describe('a lease', () => {
  test('is granted through events that arise inside effects, one after the other', async () => {
    const { dispatcher, calls, scheduler, leases } = setUp();
    const lease = await dispatcher.acquire('a', NEVER);
    expect(lease.modelId).toBe('a');
    expect(calls).toEqual(['estimate a', 'load a']);
    expect(scheduler.heard.map(({ type }) => type)).toEqual([
      'configChanged',
      'requested',
      'estimated',
      'loaded',
    ]);
    expect(leases('a')).toBe(1);
  });

  test('is given back exactly once', async () => {
    const { dispatcher, scheduler, leases } = setUp();
    const lease = await dispatcher.acquire('a', NEVER);
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
    expect(leases('a')).toBe(0);
    expect(scheduler.countOf('released')).toBe(1);
  });

  test('passes to the next in line when it is given back', async () => {
    const { dispatcher, leases } = setUp();
    const first = await dispatcher.acquire('a', NEVER);
    const order: number[] = [];
    const waiting = [1, 2].map(async (number) => {
      using _lease = await dispatcher.acquire('a', NEVER);
      order.push(number);
    });
    expect(leases('a')).toBe(1);
    first[Symbol.dispose]();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2]);
    expect(leases('a')).toBe(0);
  });

  test('is refused with the reason of the scheduler', async () => {
    const { dispatcher } = setUp();
    expect((await refusalOf(dispatcher.acquire('nobody', NEVER))).code).toBe('model_not_found');
  });
});

describe('a caller that leaves', () => {
  test('before it asked is not heard of', async () => {
    const { dispatcher, scheduler, calls } = setUp();
    expect((await refusalOf(dispatcher.acquire('a', AbortSignal.abort()))).code).toBe('cancelled');
    expect(scheduler.countOf('requested')).toBe(0);
    expect(calls).toEqual([]);
  });

  test('while it waits loses its place and nothing else', async () => {
    const { dispatcher, leases } = setUp();
    const first = await dispatcher.acquire('a', NEVER);
    const leaving = new AbortController();
    const left = refusalOf(dispatcher.acquire('a', leaving.signal));
    const next = dispatcher.acquire('a', NEVER);
    leaving.abort();
    expect((await left).code).toBe('cancelled');
    first[Symbol.dispose]();
    (await next)[Symbol.dispose]();
    expect(leases('a')).toBe(0);
  });

  test('at the moment of the grant leaves no lease behind', async () => {
    const leaving = new AbortController();
    // Said just before the grant, in the same step.
    const { dispatcher, scheduler, leases } = setUp(undefined, {
      explain: (_, text) => {
        if (text.startsWith('Loaded')) leaving.abort();
      },
    });
    expect((await refusalOf(dispatcher.acquire('a', leaving.signal))).code).toBe('cancelled');
    expect(leaving.signal.aborted).toBe(true);
    expect(scheduler.countOf('cancelled')).toBe(1);
    expect(leases('a')).toBe(0);
  });

  test('after the grant keeps its lease until it gives it back', async () => {
    const { dispatcher, scheduler, leases } = setUp();
    const leaving = new AbortController();
    const lease = await dispatcher.acquire('a', leaving.signal);
    leaving.abort();
    expect(leases('a')).toBe(1);
    expect(scheduler.countOf('cancelled')).toBe(0);
    lease[Symbol.dispose]();
    expect(leases('a')).toBe(0);
  });
});

test('loading and unloading by hand end when the model is there and when it is gone', async () => {
  const { dispatcher, scheduler, calls } = setUp();
  await dispatcher.load('a', NEVER);
  expect(scheduler.models.get('a')?.state.status).toBe('ready');
  await dispatcher.unload('a');
  expect(scheduler.models.get('a')?.state.status).toBe('unloaded');
  expect(calls).toEqual(['estimate a', 'load a', 'stop a']);
});

test('what is shown is told of once for a row of events', async () => {
  const { dispatcher, settledCount } = setUp();
  const before = settledCount();
  await dispatcher.load('a', NEVER);
  expect(settledCount()).toBe(before + 1);
});

describe('the alarm', () => {
  test('wakes the scheduler when somebody has waited too long', async () => {
    const { dispatcher, clock } = setUp();
    const lease = await dispatcher.acquire('a', NEVER);
    const waiting = refusalOf(dispatcher.acquire('a', NEVER));
    clock.advance(SETTINGS.maxWaitMs);
    expect((await waiting).code).toBe('queue_timeout');
    lease[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test('wakes it for an idle model, counted from its last use', async () => {
    const { dispatcher, clock, calls } = setUp([spec('a', { idleUnloadMs: 1000 })]);
    (await dispatcher.acquire('a', NEVER))[Symbol.dispose]();
    clock.advance(900);
    (await dispatcher.acquire('a', NEVER))[Symbol.dispose]();
    clock.advance(900);
    expect(calls).not.toContain('stop a');
    clock.advance(100);
    expect(calls).toContain('stop a');
    expect(clock.pendingTimers).toBe(0);
  });

  test('is one at most, however many events come', async () => {
    const { dispatcher, clock } = setUp([spec('a', { idleUnloadMs: 1000 })]);
    for (let count = 0; count < 5; count++) (await dispatcher.acquire('a', NEVER))[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(1);
  });
});

describe('closing', () => {
  test('turns away who waits and who comes, and leaves no timer', async () => {
    const { dispatcher, clock } = setUp();
    await dispatcher.acquire('a', NEVER);
    const waiting = refusalOf(dispatcher.acquire('a', NEVER));
    dispatcher[Symbol.dispose]();
    expect((await waiting).code).toBe('shutting_down');
    expect((await refusalOf(dispatcher.acquire('a', NEVER))).code).toBe('shutting_down');
    expect(clock.pendingTimers).toBe(0);
  });

  test('the end of an engine does not start the next one', async () => {
    const { dispatcher, calls } = setUp();
    const lease = await dispatcher.acquire('a', NEVER);
    const waiting = refusalOf(dispatcher.acquire('b', NEVER));
    calls.length = 0;
    dispatcher[Symbol.dispose]();
    dispatcher.dispatch({ type: 'exited', modelId: 'a', kept: false, reason: null });
    lease[Symbol.dispose]();
    await waiting;
    expect(calls).toEqual([]);
  });
});

test('an effect that throws does not silence what comes after', async () => {
  let broken = true;
  const { dispatcher } = setUp(undefined, {
    startStandby: () => {
      if (broken) throw new Error('a bug');
    },
  });
  const withStandby = { ...SETTINGS, standbyEngines: 1 };
  expect(() =>
    dispatcher.dispatch({ type: 'configChanged', settings: withStandby, models: [spec('a')] }),
  ).toThrow('a bug');
  broken = false;
  await dispatcher.acquire('a', NEVER);
});
