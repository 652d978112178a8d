import type { Clock } from '../shared/clock.ts';
import type { EstimateView, PlanView, PressureLevel } from '../shared/contract.ts';
import { RoundhouseError } from '../shared/errors.ts';
import {
  type EngineSettings,
  type LocalModelSettings,
  localModels,
  type Settings,
} from './config/settings.ts';
import { createEstimator } from './engine/estimator.ts';
import { EngineHost } from './engine/host.ts';
import { PrefixStore, type PrefixStoreSettings } from './engine/prefix-store.ts';
import { engineHeader } from './engine/protocol-estimate.ts';
import type { SpawnEngine } from './engine/spawn.ts';
import { bytesToReserve, estimateView } from './estimate-view.ts';
import { EMPTY_ENGINE_BYTES, type EngineTraits } from './memory/backend.ts';
import { budgetBytes } from './memory/budget.ts';
import type { Correction } from './memory/correction.ts';
import { MemoryLearning } from './memory/learning.ts';
import { totalBytes } from './memory/lines.ts';
import { MachineWatch } from './memory/machine-watch.ts';
import { Meter } from './memory/meter.ts';
import type { Machine, MemoryProbe } from './memory/probe.ts';
import { ModelMemory } from './model-memory.ts';
import { Dispatcher } from './scheduler/dispatcher.ts';
import { refusal } from './scheduler/explain.ts';
import { unregistered } from './scheduler/plan.ts';
import type { ModelSpec, SchedulerSettings } from './scheduler/ports.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import type { ModelEntryView } from './scheduler/view.ts';

/** A child that has work and says nothing for this long is hung. A load of 20 GiB still reports its progress. */
const SILENCE_LIMIT_MS = 20_000;
/** Progress is reported tensor by tensor; the slowest disk has one ready in a minute. */
const STALL_LIMIT_MS = 60_000;
/** What an empty engine is taken to hold until the first was measured. */
const STANDBY_GUESS_BYTES = 100 * 1024 ** 2;

export interface LocalRuntimeOptions {
  readonly clock: Clock;
  readonly probe: MemoryProbe;
  readonly machine: Machine;
  /** Whether engines run on Metal; then the CPU side of one needs a single thread. */
  readonly metal: boolean;
  readonly spawnEngine: SpawnEngine;
  readonly spawnEstimator: SpawnEngine;
  /** What was learned of models' memory before, and where it is kept. */
  readonly corrections: {
    readonly all: ReadonlyMap<string, Correction>;
    readonly save: (identity: string, correction: Correction) => void;
  };
  /** Folder for the states of unloaded models' slots. Absolute. */
  readonly prefixDir: string;
  readonly onDecision: (modelId: string | null, text: string) => void;
  /** What is shown may have changed. */
  readonly onChange: () => void;
  /** Whether somebody looks at what the machine has. */
  readonly isWatched: () => boolean;
}

/**
 * Everything that serves local models: the scheduler that decides, the host that has the engines, the estimator that
 * reads headers and the meter that reads what engines hold, wired to each other.
 */
export class LocalRuntime {
  readonly scheduler: Scheduler;
  readonly dispatcher: Dispatcher;
  readonly #options: LocalRuntimeOptions;
  readonly #host: EngineHost;
  readonly memory: ModelMemory;
  readonly #prefixes: PrefixStore;
  readonly #meter: Meter;
  readonly #machine: MachineWatch;
  readonly #closing = new AbortController();
  #settings: Settings;
  #models = new Map<string, LocalModelSettings>();
  #loads = 0;
  #standbyBytes = STANDBY_GUESS_BYTES;
  /** Known once the first engine has started. */
  #metalWorkingSetBytes: number | null = null;

  constructor(settings: Settings, options: LocalRuntimeOptions) {
    const { clock, machine, metal, probe } = options;
    this.#options = options;
    this.#settings = settings;
    this.scheduler = new Scheduler(this.#schedulerSettings());
    const estimator = createEstimator({
      spawn: options.spawnEstimator,
      clock,
      engine: () => this.#traits(),
      closing: this.#closing.signal,
    });
    const learning = new MemoryLearning(options.corrections.all, options.corrections.save);
    this.memory = new ModelMemory(estimator, learning, () => this.#traits(), options.onDecision);
    this.#meter = new Meter(clock, (modelId) => void this.#measure(modelId));
    this.#machine = new MachineWatch({
      clock,
      probe,
      totalBytes: machine.totalBytes,
      enginePids: () => this.#host.pids(),
      isNeeded: () => options.isWatched() || this.scheduler.isWaitedFor,
      onPressure: (level) => this.#pressureRead(level),
      onMachine: (system) => this.dispatcher.dispatch({ type: 'machine', system }),
    });
    this.#prefixes = new PrefixStore({
      dir: options.prefixDir,
      clock,
      settings: prefixSettings(settings),
      warn: (message) => options.onDecision(null, message),
    });
    this.#host = new EngineHost({
      spawn: options.spawnEngine,
      clock,
      silenceLimitMs: SILENCE_LIMIT_MS,
      stallLimitMs: STALL_LIMIT_MS,
      cores: metal ? 1 : machine.performanceCores,
      footprintBytes: async (pid) => (await probe.footprint(pid))?.totalBytes ?? null,
      prefixes: this.#prefixes,
      on: {
        progress: (modelId, progress) => this.dispatcher.dispatch({ type: 'progress', modelId, progress }),
        loaded: (modelId, info) => {
          const model = this.#models.get(modelId);
          if (model) this.memory.loaded(modelId, model.engine, info);
          this.#loads += 1;
          this.dispatcher.dispatch({ type: 'loaded', modelId });
          this.#meter.loaded(modelId);
        },
        loadFailed: (modelId, error) => this.dispatcher.dispatch({ type: 'loadFailed', modelId, error }),
        exited: (modelId, { kept, reason }) => {
          this.#meter.forget(modelId);
          this.memory.gone(modelId);
          this.dispatcher.dispatch({ type: 'exited', modelId, kept, reason });
        },
        standbyExited: (reason) => {
          options.onDecision(null, `A standby engine ended: ${reason ?? 'nobody asked it to'}.`);
          this.dispatcher.dispatch({ type: 'standbyExited' });
        },
        metalFound: (workingSetBytes) => {
          if (workingSetBytes === this.#metalWorkingSetBytes) return;
          this.#metalWorkingSetBytes = workingSetBytes;
          this.#tellScheduler();
        },
        standbyMeasured: (bytes) => this.#standbyMeasured(bytes),
      },
    });
    this.dispatcher = new Dispatcher(
      this.scheduler,
      clock,
      {
        estimate: (modelId) => void this.#estimate(modelId),
        load: (modelId) => this.#load(modelId),
        stop: (modelId, keep) => this.#host.stop(modelId, keep),
        startStandby: () => this.#host.startStandby(),
        stopStandby: () => this.#host.stopStandby(),
        explain: options.onDecision,
      },
      options.onChange,
    );
  }

  /** Looks at the machine, from now on again and again. */
  async watchMachine(): Promise<void> {
    this.#machine.start();
    await this.#machine.fresh();
  }

  /** Puts a configuration in force and loads what it wants loaded. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.#models = new Map(localModels(settings).map((model) => [model.id, model]));
    this.memory.keepOnly(new Set(this.#models.keys()));
    this.#prefixes.configure(prefixSettings(settings));
    this.#tellScheduler();
    this.#preload(({ pinned, preload }) => pinned || preload);
  }

  settingsOf(modelId: string): LocalModelSettings | null {
    return this.#models.get(modelId) ?? null;
  }

  /** Models loaded since the start. */
  get loads(): number {
    return this.#loads;
  }

  /** How long a model took to load when it became ready after this (monotonic) moment, else 0. */
  loadSince(modelId: string, atMs: number): number {
    const state = this.scheduler.models.get(modelId)?.state;
    const readyMs =
      state?.status === 'ready' ? state.sinceMs : state?.status === 'draining' ? state.readySinceMs : null;
    return readyMs === null || readyMs < atMs ? 0 : (this.memory.lastLoadMs(modelId) ?? 0);
  }

  engineOf(modelId: string) {
    return this.#host.engineOf(modelId);
  }

  /** What a file says of itself, read out of process. @throws RoundhouseError `gguf_invalid` */
  readHeader(path: string) {
    return this.memory.header(path, this.#closing.signal);
  }

  /** Works out in the background what a model would take, to be shown. Never rejects: its problem is known then. */
  async lookAt(modelId: string): Promise<void> {
    const model = this.#models.get(modelId);
    if (model) await this.memory.lookAt(model, this.#closing.signal).catch(() => {});
    // Who waits for memory would be given what the file needed before it was changed.
    const entry = this.scheduler.models.get(modelId);
    if (entry?.estimateIsFresh && entry.waiters > 0 && entry.lineBytes === 0) await this.#estimate(modelId);
    this.#options.onChange();
  }

  /** Why a model could not be loaded now, in words for the user; `null` when nothing is known to be wrong with it. */
  problemOf(modelId: string): string | null {
    const model = this.#models.get(modelId);
    if (!model) return null;
    const isThere = (this.scheduler.models.get(modelId)?.lineBytes ?? 0) > 0;
    const tooLarge = isThere ? null : this.memory.tooLarge(model, this.scheduler.ledger.budgetBytes);
    return this.memory.problemOf(modelId) ?? tooLarge;
  }

  /** What would be reserved for a model; `null` until its header was read. */
  neededBytes(modelId: string): number | null {
    return this.memory.neededBytes(modelId);
  }

  get budgetBytes(): number {
    return this.scheduler.ledger.budgetBytes;
  }

  /** Disk that saved prefixes take; `null` while none are kept. */
  get prefixCache() {
    return this.#prefixes.use;
  }

  /** A request of the model has ended that filled its slot with this many tokens: its buffers may have grown. */
  served(modelId: string, tokens: number): void {
    this.memory.served(modelId, tokens);
    this.#meter.touch(modelId);
  }

  /**
   * What a file would take with these settings, and what loading it would do now.
   * @param idFor what a model of this name (`null`: the file does not say) would be registered as
   * @throws RoundhouseError `gguf_invalid`
   */
  async estimateFile(
    path: string,
    settings: EngineSettings,
    idFor: (name: string | null) => string,
  ): Promise<Omit<EstimateView, 'path' | 'registeredAs'>> {
    const learned = await this.memory.estimate(path, settings, this.#closing.signal);
    const view = estimateView(learned, settings, this.#traits(), this.scheduler.ledger.budgetBytes);
    const suggestedId = idFor(view.name);
    return { ...view, suggestedId, plan: this.#plan(unregistered(suggestedId), bytesToReserve(learned)) };
  }

  /** What loading a registered model would do now; changes nothing. @throws RoundhouseError */
  async plan(modelId: string): Promise<PlanView> {
    const model = this.#models.get(modelId);
    const entry = this.scheduler.models.get(modelId);
    if (!model || !entry) throw refusal.notFound(modelId);
    const learned = await this.memory.estimate(model.source.path, model.engine, this.#closing.signal);
    const plan = this.#plan(entry, bytesToReserve(learned));
    if (plan.outcome !== 'never') return plan;
    const { neededBytes, budgetBytes } = plan;
    const lighter = this.memory.lighter(learned, model.engine, budgetBytes);
    const { message } = refusal.tooLarge(
      { id: modelId, slots: entry.slots, lighter },
      neededBytes,
      budgetBytes,
    );
    return { ...plan, text: `Can never fit: ${message}.` };
  }

  #plan(entry: ModelEntryView, neededBytes: number): PlanView {
    const reloadMs = (id: string) => this.memory.lastLoadMs(id);
    return this.scheduler.plan(entry, neededBytes, this.#options.clock.monotonicMs(), reloadMs);
  }

  /** Turns away who waits, ends every engine, and resolves when the last has gone. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.dispatcher[Symbol.dispose]();
    this.#meter[Symbol.dispose]();
    this.#machine[Symbol.dispose]();
    await this.#host.close(this.#settings.memory.keepPrefixCacheOnQuit);
    await this.#prefixes.close();
  }

  #preload(isWanted: (model: LocalModelSettings) => boolean): void {
    for (const model of this.#models.values()) {
      const entry = this.scheduler.models.get(model.id);
      if (!isWanted(model) || entry?.state.status !== 'unloaded' || entry.waiters > 0) continue;
      // A failure is the model's state and a decision; nobody waits for an answer.
      this.dispatcher.preload(model.id, this.#closing.signal).catch(() => {});
    }
  }

  #pressureRead(level: PressureLevel): void {
    const before = this.scheduler.pressure;
    this.dispatcher.dispatch({ type: 'pressure', level });
    // What was to be there always was not loaded meanwhile, and may have waited too long since.
    if (before !== 'normal' && this.scheduler.pressure === 'normal') this.#preload(({ pinned }) => pinned);
  }

  async #estimate(modelId: string): Promise<void> {
    const model = this.#models.get(modelId);
    if (!model) return;
    try {
      const [learned] = await Promise.all([
        this.memory.estimateModel(model, this.#closing.signal),
        this.#machine.fresh(),
      ]);
      const lighter = this.memory.lighter(learned, model.engine, this.scheduler.ledger.budgetBytes);
      this.dispatcher.dispatch({
        type: 'estimated',
        modelId,
        bytes: totalBytes(learned.lines),
        learned: learned.correction !== null,
        ...(lighter && { lighter }),
      });
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.dispatcher.dispatch({ type: 'estimateFailed', modelId, error: RoundhouseError.from(error) });
    }
  }

  #load(modelId: string): void {
    const model = this.#models.get(modelId);
    if (!model) throw new Error(`${modelId} is to be loaded and is not configured`);
    const header = this.memory.headerOf(modelId);
    if (!header) throw new Error(`${modelId} is to be loaded without an estimate`);
    const { path } = model.source;
    this.#host.load(modelId, { path, header: engineHeader(header), settings: model.engine });
  }

  async #measure(modelId: string): Promise<void> {
    const bytes = await this.#host.measure(modelId);
    if (bytes === null || this.#closing.signal.aborted) return;
    const held = this.#host.heldBy(modelId);
    const prefixRebuildMs = this.#prefixes.lossMs(held, this.memory.cacheBytesPerToken(modelId));
    this.dispatcher.dispatch({ type: 'measured', modelId, bytes, prefixRebuildMs });
    const learned = this.memory.measured(modelId, bytes);
    if (learned) {
      this.dispatcher.dispatch({ type: 'estimated', modelId, bytes: totalBytes(learned), learned: true });
    }
  }

  #traits(): EngineTraits {
    const { metal, machine } = this.#options;
    return {
      backend: metal ? 'metal' : 'cpu',
      repackedTypes: metal ? [] : machine.repackedTypes,
      emptyBytes: this.#standbyBytes === STANDBY_GUESS_BYTES ? EMPTY_ENGINE_BYTES : this.#standbyBytes,
    };
  }

  #standbyMeasured(bytes: number): void {
    // The most that any held: the line has to cover each.
    if (bytes <= this.#standbyBytes && this.#standbyBytes !== STANDBY_GUESS_BYTES) return;
    this.#standbyBytes = bytes;
    this.#tellScheduler();
  }

  #tellScheduler(): void {
    this.dispatcher.dispatch({
      type: 'configChanged',
      settings: this.#schedulerSettings(),
      models: [...this.#models.values()].map(modelSpec),
    });
  }

  #schedulerSettings(): SchedulerSettings {
    const { memory, server } = this.#settings;
    return {
      budgetBytes: budgetBytes(memory.budget, {
        totalBytes: this.#options.machine.totalBytes,
        metalWorkingSetBytes: this.#metalWorkingSetBytes,
      }),
      eviction: memory.eviction,
      maxLoadedModels: memory.maxLoadedModels,
      minResidencyMs: memory.minResidencyMs,
      standbyEngines: memory.standbyEngines,
      standbyBytes: this.#standbyBytes,
      maxQueue: server.maxQueue,
      maxWaitMs: server.maxWaitMs,
    };
  }
}

function prefixSettings({ memory }: Settings): PrefixStoreSettings {
  return { limitBytes: memory.keepPrefixCacheBytes, keepOnQuit: memory.keepPrefixCacheOnQuit };
}

function modelSpec(model: LocalModelSettings): ModelSpec {
  const { threads: _, ...memory } = model.engine;
  return {
    id: model.id,
    slots: model.engine.parallel,
    pinned: model.pinned,
    idleUnloadMs: model.idleUnloadMs,
    memoryKey: JSON.stringify([model.source.path, memory]),
  };
}
