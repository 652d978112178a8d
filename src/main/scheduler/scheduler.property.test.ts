import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PressureLevel } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { ModelState } from '../../shared/model-state.ts';
import type { ModelEntry } from './model-entry.ts';
import type { Effect, EvictionPolicy, ModelSpec, SchedulerEvent, SchedulerSettings } from './ports.ts';
import { Scheduler } from './scheduler.ts';

/*
 * Thousands of random orders of what clients, engines, the configuration, other programs and the clock can do, driven
 * through the scheduler and its ledger with a scripted world behind them: loads that work, fail, run out of memory or
 * die; stops that keep the process or do not; a system that has much memory or little. After each step the promises of
 * memory.md are held against what happened.
 */

const MIB = 1024 ** 2;
const MODELS = ['a', 'b', 'c', 'd'] as const;
const BYTES: Readonly<Record<string, number>> = { a: 100 * MIB, b: 300 * MIB, c: 500 * MIB, d: 5000 * MIB };

/** The machine's, and what the system keeps of it. */
const TOTAL_BYTES = 2000 * MIB;
const KEPT_BYTES = 100 * MIB;

type How = 'well' | 'badly' | 'out of memory';

interface ReadAction {
  readonly do: 'read';
  readonly level: PressureLevel;
  /** `null` = the system cannot say. */
  readonly othersMib: number | null;
  /** How much of it engines that load have taken already. */
  readonly takenShare: number;
  /** Two seconds apart. */
  readonly times: number;
}

type Action =
  | { readonly do: 'request' | 'load' | 'preload' | 'unload'; readonly model: (typeof MODELS)[number] }
  | { readonly do: 'leave' | 'finish'; readonly pick: number }
  | { readonly do: 'engine'; readonly pick: number; readonly how: How }
  | { readonly do: 'die' | 'grow'; readonly model: (typeof MODELS)[number] }
  | { readonly do: 'fill'; readonly model: (typeof MODELS)[number]; readonly prefixRebuildMs: number }
  | { readonly do: 'wait'; readonly ms: number }
  | ReadAction
  | {
      readonly do: 'configure';
      readonly without: (typeof MODELS)[number] | null;
      readonly budgetMiB: number;
    };

const model = fc.constantFrom(...MODELS);
const pick = fc.nat(1000);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('request' as const), model }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('finish' as const), pick }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('engine' as const),
      pick,
      how: fc.constantFrom<How>('well', 'well', 'well', 'badly', 'out of memory'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 100, 5000, 12_000, 61_000, 86_400_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('load', 'preload', 'unload'), model }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      level: fc.constantFrom<PressureLevel>('normal', 'normal', 'warn', 'critical'),
      othersMib: fc.option(fc.constantFrom(0, 600, 1200, 1500, 1900)),
      takenShare: fc.constantFrom(0, 0.5, 1),
      times: fc.constantFrom(1, 2, 3, 16),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'grow' as const), model }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fill' as const),
      model,
      prefixRebuildMs: fc.constantFrom(0, 3, 1500, 90_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      without: fc.option(model, { freq: 3 }),
      budgetMiB: fc.constantFrom(400, 700, 1200),
    }),
  },
);

class World {
  readonly scheduler: Scheduler;
  nowMs = 0;
  settings: SchedulerSettings;
  specs: ModelSpec[];
  readonly waiting = new Set<number>();
  readonly granted = new Map<number, string>();
  /** Things that engines were told and have not answered. */
  readonly tasks: { kind: 'estimate' | 'load' | 'stop'; modelId: string; keep: boolean }[] = [];
  #lastId = 0;
  readonly #askedToUnload = new Set<string>();
  readonly #arrivedMs = new Map<number, number>();
  /** What other programs held when the system was last read; `null` = it could not say. */
  #othersBytes: number | null = null;
  #before: ReadonlyMap<string, ModelState> = new Map();
  #configured: ReadonlySet<string> = new Set(MODELS);

  constructor(standbyEngines: number, maxLoadedModels: number, eviction: EvictionPolicy) {
    this.settings = {
      budgetBytes: 700 * MIB,
      eviction,
      maxLoadedModels,
      maxQueue: 10,
      maxWaitMs: 60_000,
      minResidencyMs: 100,
      standbyEngines,
      standbyBytes: 50 * MIB,
    };
    this.specs = MODELS.map((id) => ({
      id,
      slots: id === 'a' ? 3 : 1,
      pinned: id === 'b',
      idleUnloadMs: id === 'a' ? 5000 : null,
      memoryKey: id,
    }));
    this.scheduler = new Scheduler(this.settings);
    this.send({ type: 'configChanged', settings: this.settings, models: this.specs });
  }

  send(event: SchedulerEvent): void {
    const { ledger, models } = this.scheduler;
    this.#before = new Map([...models.values()].map(({ id, state }) => [id, state]));
    const effects = this.scheduler.handle(event, this.nowMs);
    for (const effect of effects) this.#meet(effect);
    const relieved = effects.filter((effect) => effect.type === 'explain' && isRelief(effect.text));
    if (this.scheduler.pressure !== 'critical') expect(relieved.length).toBeLessThanOrEqual(1);
    for (const requestId of this.waiting) {
      const arrivedMs = this.#arrivedMs.get(requestId);
      if (arrivedMs !== undefined) expect(this.nowMs - arrivedMs).toBeLessThan(this.settings.maxWaitMs);
    }
    let sum = this.scheduler.standbyBytes;
    for (const entry of models.values()) {
      sum += entry.lineBytes;
      expect(entry.activeLeases).toBeLessThanOrEqual(entry.slots);
      // What only an engine has is not counted for a model without one.
      if (entry.lineBytes === 0) expect(entry.prefixRebuildMs).toBe(0);
      if (entry.state.status === 'draining') expect(this.#mayDrain(entry)).toBe(true);
    }
    expect(ledger.reservedBytes).toBe(sum);
  }

  /** A busy model is let go only because somebody asked, or because another has waited its turn. */
  #mayDrain(entry: Readonly<ModelEntry>): boolean {
    if (!this.#configured.has(entry.id) || this.#askedToUnload.has(entry.id)) return true;
    const others = [...this.scheduler.models.values()].filter((other) => other !== entry);
    return (
      !entry.pinned &&
      others.some(({ oldestWaiter }) => oldestWaiter && this.nowMs - oldestWaiter.arrivedMs >= 10_000)
    );
  }

  #meet(effect: Effect): void {
    switch (effect.type) {
      case 'grant':
        expect(this.waiting.delete(effect.requestId)).toBe(true);
        this.granted.set(effect.requestId, effect.modelId);
        return;
      case 'done':
      case 'reject':
        // Answered exactly once, and only while somebody waits for the answer.
        expect(this.waiting.delete(effect.requestId)).toBe(true);
        return;
      case 'load':
        this.#expectRoom();
        this.tasks.push({ kind: 'load', modelId: effect.modelId, keep: false });
        return;
      case 'stop': {
        const spec = this.specs.find(({ id }) => id === effect.modelId);
        expect([...this.granted.values()]).not.toContain(effect.modelId);
        this.#expectMayGo(effect.modelId);
        if (spec?.pinned && this.#configured.has(effect.modelId))
          expect(this.#askedToUnload).toContain(effect.modelId);
        this.tasks.push({ kind: 'stop', modelId: effect.modelId, keep: effect.keep });
        return;
      }
      case 'estimate':
        this.tasks.push({ kind: 'estimate', modelId: effect.modelId, keep: false });
        return;
      case 'startStandby':
        expect(this.scheduler.pressure).toBe('normal');
        return this.#expectRoom();
      case 'stopStandby':
      case 'explain':
        return;
    }
  }

  /** What is promised fits the budget, and beside what other programs hold. */
  #expectRoom(): void {
    const { ledger } = this.scheduler;
    expect(ledger.reservedBytes).toBeLessThanOrEqual(ledger.budgetBytes);
    if (this.#othersBytes === null) return;
    expect(ledger.reservedBytes + this.#othersBytes + KEPT_BYTES).toBeLessThanOrEqual(TOTAL_BYTES);
  }

  /** Unless somebody asked for it, one goes only when it is not just loaded and nobody waits for it. */
  #expectMayGo(id: string): void {
    const before = this.#before.get(id);
    if (before?.status !== 'ready' || !this.#configured.has(id) || this.#askedToUnload.has(id)) return;
    expect(this.scheduler.models.get(id)?.waiters).toBe(0);
    expect(this.nowMs - before.sinceMs).toBeGreaterThanOrEqual(this.settings.minResidencyMs);
  }

  #read({ level, othersMib, takenShare }: ReadAction): void {
    this.#othersBytes = othersMib === null ? null : othersMib * MIB;
    let enginesBytes = this.scheduler.standbyBytes;
    for (const { state, lineBytes } of this.scheduler.models.values()) {
      enginesBytes += state.status === 'loading' ? lineBytes * takenShare : lineBytes;
    }
    const availableBytes = TOTAL_BYTES - (this.#othersBytes ?? 0) - enginesBytes;
    const system = { availableBytes, enginesBytes, keptBytes: KEPT_BYTES };
    this.send({ type: 'machine', system: this.#othersBytes === null ? null : system });
    this.send({ type: 'pressure', level });
  }

  act(step: Action): void {
    switch (step.do) {
      case 'request':
      case 'load':
      case 'preload':
      case 'unload': {
        const requestId = ++this.#lastId;
        this.waiting.add(requestId);
        // An unload waits for running requests, however long they take.
        if (step.do === 'unload') this.#askedToUnload.add(step.model);
        else this.#arrivedMs.set(requestId, this.nowMs);
        const type = {
          request: 'requested',
          load: 'loadAsked',
          preload: 'preloadAsked',
          unload: 'unloadAsked',
        } as const;
        return this.send({ type: type[step.do], requestId, modelId: step.model });
      }
      case 'leave': {
        const requestId = [...this.waiting, ...this.granted.keys()].at(
          step.pick % (this.waiting.size + this.granted.size || 1),
        );
        if (requestId === undefined) return;
        this.waiting.delete(requestId);
        this.granted.delete(requestId);
        return this.send({ type: 'cancelled', requestId });
      }
      case 'finish': {
        const requestId = [...this.granted.keys()].at(step.pick % (this.granted.size || 1));
        if (requestId === undefined) return;
        this.granted.delete(requestId);
        this.send({ type: 'released', requestId });
        // A second time means nothing, whoever has the slot by then.
        const leases = () => [...this.scheduler.models.values()].map(({ activeLeases }) => activeLeases);
        const before = leases();
        this.send({ type: 'released', requestId });
        return expect(leases()).toEqual(before);
      }
      case 'engine':
        return this.#engineAnswers(step.pick % (this.tasks.length || 1), step.how);
      case 'read':
        for (let times = 0; times < step.times; times++) {
          this.#read(step);
          this.nowMs += 2000;
        }
        return;
      case 'die':
        return this.#die(step.model);
      case 'grow':
        return this.send({ type: 'measured', modelId: step.model, bytes: (BYTES[step.model] ?? 0) * 1.3 });
      case 'fill': {
        const { model: modelId, prefixRebuildMs } = step;
        return this.send({ type: 'measured', modelId, bytes: BYTES[modelId] ?? 0, prefixRebuildMs });
      }
      case 'wait':
        this.nowMs += step.ms;
        return this.send({ type: 'tick' });
      case 'configure': {
        this.settings = { ...this.settings, budgetBytes: step.budgetMiB * MIB };
        const models = this.specs.filter(({ id }) => id !== step.without);
        this.#configured = new Set(models.map(({ id }) => id));
        return this.send({ type: 'configChanged', settings: this.settings, models });
      }
    }
  }

  #engineAnswers(index: number, how: How): void {
    const [task] = this.tasks.splice(index, 1);
    if (!task) return;
    const { modelId } = task;
    const error = new RoundhouseError('model_load_failed', 'scripted');
    if (task.kind === 'estimate') {
      return this.send(
        how === 'well'
          ? { type: 'estimated', modelId, bytes: BYTES[modelId] ?? 0, learned: false }
          : { type: 'estimateFailed', modelId, error },
      );
    }
    if (task.kind === 'stop') {
      return this.send({ type: 'exited', modelId, kept: how === 'well' && task.keep, reason: null });
    }
    // A model that was stopped while it loaded is ended by the stop.
    if (this.tasks.some((other) => other.kind === 'stop' && other.modelId === modelId)) return;
    if (how === 'out of memory') return this.#runOut(modelId);
    this.send(how === 'well' ? { type: 'loaded', modelId } : { type: 'loadFailed', modelId, error });
  }

  /** Once it is tried again, for those who wait; the second time they hear of it. */
  #runOut(modelId: string): void {
    const entry = this.scheduler.models.get(modelId);
    const isSecond = entry?.state.status === 'loading' && entry.ranOutOfMemory;
    this.send({
      type: 'loadFailed',
      modelId,
      error: new RoundhouseError('insufficient_memory', 'scripted'),
    });
    if (isSecond) expect(entry).toMatchObject({ waiters: 0, ranOutOfMemory: false });
  }

  #die(modelId: string): void {
    const status = this.scheduler.models.get(modelId)?.state.status;
    if (status === undefined || status === 'unloaded' || status === 'failed') return;
    // A dead engine answers nothing more, and its requests end with it.
    for (const [index, task] of [...this.tasks.entries()].reverse()) {
      if (task.modelId === modelId && task.kind !== 'estimate') this.tasks.splice(index, 1);
    }
    for (const [requestId, holder] of this.granted) if (holder === modelId) this.granted.delete(requestId);
    this.send({ type: 'exited', modelId, kept: false, reason: 'scripted' });
  }

  /** Everybody finishes, every engine answers, time passes: then nobody may be left waiting. */
  comeToRest(): void {
    for (
      let round = 0;
      round < 200 && this.waiting.size + this.tasks.length + this.granted.size > 0;
      round++
    ) {
      while (this.tasks.length > 0) this.#engineAnswers(0, 'well');
      this.act({ do: 'finish', pick: 0 });
      this.act({ do: 'wait', ms: 1000 });
    }
  }
}

function isRelief(text: string): boolean {
  return text.startsWith('Unloaded') && text.includes('memory pressure');
}

it('keeps every promise of memory.md, whatever the order of events', () => {
  fc.assert(
    fc.property(
      // At its usual size fast-check makes rows of ten or so.
      fc.array(action, { maxLength: 120, size: 'max' }),
      fc.constantFrom(0, 1, 2),
      fc.constantFrom(1, 2, 4),
      fc.constantFrom<EvictionPolicy>('cost-aware', 'lru'),
      (steps, standbyEngines, maxLoadedModels, eviction) => {
        const world = new World(standbyEngines, maxLoadedModels, eviction);
        for (const step of steps) world.act(step);
        world.comeToRest();
        expect([...world.waiting]).toEqual([]);
        expect([...world.granted]).toEqual([]);
        // What is still reserved is what is still there.
        const { scheduler } = world;
        const held = [...scheduler.models.values()].filter(({ state }) => state.status === 'ready');
        const bytes = held.reduce((sum, entry) => sum + entry.lineBytes, scheduler.standbyBytes);
        expect(scheduler.ledger.reservedBytes).toBe(bytes);
      },
    ),
    { numRuns: 1500 },
  );
});
