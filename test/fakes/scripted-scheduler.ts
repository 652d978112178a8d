import type { Effect, ModelSpec, SchedulerEvent, SchedulerSettings } from '../../src/main/scheduler/ports.ts';
import { Scheduler } from '../../src/main/scheduler/scheduler.ts';
import type { PressureLevel } from '../../src/shared/contract.ts';

/*
 * A scheduler that is told one event at a time, for tests that are lists of events and the effects expected.
 */

const MIB = 1024 ** 2;

export const SETTINGS: SchedulerSettings = {
  budgetBytes: 1000 * MIB,
  eviction: 'cost-aware',
  maxLoadedModels: 5,
  maxQueue: 100,
  maxWaitMs: 120_000,
  minResidencyMs: 0,
  standbyEngines: 0,
  standbyBytes: 100 * MIB,
};

export function model(id: string, overrides: Partial<ModelSpec> = {}): ModelSpec {
  return { id, slots: 1, pinned: false, idleUnloadMs: null, memoryKey: id, ...overrides };
}

/** A scheduler with models that need 400 MiB each, and a short way to tell it things. */
export function setUp(
  settings: Partial<SchedulerSettings> = {},
  models = ['a', 'b', 'c'].map((id) => model(id)),
) {
  const scheduler = new Scheduler({ ...SETTINGS, ...settings });
  let nowMs = 0;
  const known = new Map<string, SchedulerEvent>();
  const send = (event: SchedulerEvent): Effect[] => {
    if (event.type === 'estimated') known.set(event.modelId, event);
    return scheduler.handle(event, nowMs);
  };
  send({ type: 'configChanged', settings: { ...SETTINGS, ...settings }, models });
  let lastId = 0;
  return {
    scheduler,
    send,
    later: (ms: number) => {
      nowMs += ms;
    },
    /** As `send`, without the sentences. */
    does: (event: SchedulerEvent) => send(event).filter((effect) => effect.type !== 'explain'),
    /** As `does`, and where a model's file is looked at once more it is as it was. */
    doesAgain: (event: SchedulerEvent): Effect[] =>
      send(event)
        .flatMap((effect) => {
          const before = effect.type === 'estimate' ? known.get(effect.modelId) : undefined;
          return before ? send(before) : [effect];
        })
        .filter((effect) => effect.type !== 'explain'),
    says: (event: SchedulerEvent) =>
      send(event).flatMap((effect) => (effect.type === 'explain' ? [effect.text] : [])),
    request: (modelId: string): SchedulerEvent => ({ type: 'requested', requestId: ++lastId, modelId }),
    /** Brings a model to `ready`, with a predicted size that the margin turns into `bytes`. */
    bring: (modelId: string, bytes = 400 * MIB) => {
      const requestId = 1000 + ++lastId;
      send({ type: 'loadAsked', requestId, modelId });
      send({ type: 'estimated', modelId, bytes: Math.floor(bytes / 1.1), learned: false });
      send({ type: 'loaded', modelId });
      return send({ type: 'measured', modelId, bytes });
    },
    /** Reads the system twice, two seconds apart: enough for a level to be reached. */
    feel: (level: PressureLevel): Effect[] => {
      const first = send(reading(level));
      nowMs += 2000;
      return [...first, ...send(reading(level))];
    },
    status: (modelId: string) => scheduler.models.get(modelId)?.state.status,
  };
}

/** How hard pressed the system says it is. */
export function reading(level: PressureLevel): SchedulerEvent {
  return { type: 'pressure', level };
}

/** What the system says it has; it keeps 1 GiB. */
export function machine(availableMib: number, enginesMib: number): SchedulerEvent {
  const bytes = { availableBytes: availableMib * MIB, enginesBytes: enginesMib * MIB };
  return { type: 'machine', system: { ...bytes, keptBytes: 1024 * MIB } };
}

export function stopped(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.type === 'stop' ? [effect.modelId] : []));
}

export function told(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.type === 'explain' ? [effect.text] : []));
}

export const estimated = (modelId: string, bytes: number): SchedulerEvent => ({
  type: 'estimated',
  modelId,
  bytes,
  learned: false,
});
export const exited = (modelId: string, kept = false): SchedulerEvent => ({
  type: 'exited',
  modelId,
  kept,
  reason: null,
});
