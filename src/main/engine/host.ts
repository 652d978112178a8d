import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { EngineSettings } from '../config/settings.ts';
import { Engine, type EngineExit } from './engine.ts';
import { type HeldTokens, NOTHING_HELD } from './prefix-calls.ts';
import type { ModelPrefixes, PrefixStore } from './prefix-store.ts';
import { isLongEnough } from './prefix-value.ts';
import type { LoadedInfo } from './protocol.ts';
import type { EngineHeader } from './protocol-estimate.ts';
import { savePrefixes } from './save-prefixes.ts';
import type { SpawnEngine } from './spawn.ts';
import { sharedThreads } from './threads.ts';

/** A process that unloaded is kept when it holds at most this much more than when it was new. Source: memory.md. */
const KEPT_GROWTH_BYTES = 16 * 1024 ** 2;

export interface HostOptions {
  readonly spawn: SpawnEngine;
  readonly clock: Clock;
  readonly silenceLimitMs: number;
  readonly stallLimitMs: number;
  /** Performance cores. */
  readonly cores: number;
  /** What the system says a process holds; `null` when it cannot say. */
  readonly footprintBytes: (pid: number) => Promise<number | null>;
  /** Where slots' states outlive a model's unloading; without it they do not. */
  readonly prefixes?: PrefixStore;
  readonly on: HostEvents;
}

export interface HostEvents {
  progress(modelId: string, progress: number): void;
  loaded(modelId: string, info: LoadedInfo): void;
  /** The load did not work, and its process is gone. */
  loadFailed(modelId: string, error: RoundhouseError): void;
  /** `kept`: the process came out empty and is a standby now. Otherwise it has ended. */
  exited(modelId: string, exit: { readonly kept: boolean; readonly reason: string | null }): void;
  standbyExited(reason: string | null): void;
  /** An engine found Metal, which recommends to use at most this much. */
  metalFound(workingSetBytes: number): void;
  /** An empty engine was measured. */
  standbyMeasured(bytes: number): void;
}

export interface ModelToLoad {
  readonly path: string;
  readonly header: EngineHeader;
  readonly settings: EngineSettings;
}

interface Resident {
  readonly engine: Engine;
  use:
    | { readonly kind: 'standby' }
    | { readonly kind: 'model'; readonly modelId: string; readonly threads: EngineSettings['threads'] };
  loading: boolean;
  loadError: RoundhouseError | null;
  stopping: boolean;
  /** Of the model that is loaded, or loading. */
  prefixes: ModelPrefixes | null;
}

/** All engine processes: those with a model and those that stand by. Carries out what the scheduler decides. */
export class EngineHost {
  readonly #options: HostOptions;
  readonly #residents = new Set<Resident>();
  readonly #gone = new Set<() => void>();
  /** Models whose process did not come out empty: it is not tried again with them. */
  readonly #leavingMemory = new Set<string>();
  /** What an engine without a model holds, as last measured. */
  #emptyBytes: number | null = null;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** The engine that has the model loaded. */
  engineOf(modelId: string): Engine | undefined {
    return this.#residentOf(modelId)?.engine;
  }

  /** Process ids of all engines, standbys included. */
  pids(): number[] {
    return [...this.#residents].flatMap(({ engine }) => engine.pid ?? []);
  }

  /** Loads in a standby where there is one. The end is reported by `loaded`, `loadFailed` or `exited`. */
  load(modelId: string, model: ModelToLoad): void {
    const resident = this.#standbys()[0] ?? this.#start();
    const { threads, ...settings } = model.settings;
    const use: Resident['use'] = { kind: 'model', modelId, threads };
    resident.use = use;
    resident.loading = true;
    resident.loadError = null;
    resident.stopping = false;
    resident.prefixes = null;
    this.#shareThreads();
    const stillWanted = () => resident.use === use && !resident.stopping && this.#residents.has(resident);
    const load = async () => {
      const { build } = await resident.engine.ready;
      if (this.#emptyBytes === null) await this.#measureEmpty(resident, stillWanted);
      const prefixes = (await this.#options.prefixes?.offer(modelId, model, build)) ?? null;
      if (!stillWanted()) return;
      resident.prefixes = prefixes;
      const info = await resident.engine.load({
        path: model.path,
        header: model.header,
        settings,
        prefixes: prefixes?.offer,
      });
      if (!stillWanted()) return;
      resident.loading = false;
      this.#options.on.loaded(modelId, info);
    };
    load().catch((error: unknown) => {
      // A stop or an exit tells of itself.
      if (!stillWanted()) return;
      resident.loadError = RoundhouseError.from(error);
      resident.engine.kill();
    });
  }

  /**
   * Saves what the model's slots hold and is worth it, empties its engine and keeps the process if its memory came back;
   * else ends it. Reported by `exited`.
   */
  stop(modelId: string, keep: boolean): void {
    const resident = this.#residentOf(modelId);
    if (!resident) return this.#options.on.exited(modelId, { kept: false, reason: null });
    resident.stopping = true;
    const mayBeKept = keep && !this.#leavingMemory.has(modelId);
    if (!mayBeKept && !this.#hasWorthSaving(resident)) return resident.engine.kill();
    this.#empty(resident, modelId, mayBeKept)
      .then((isEmpty) => {
        if (!isEmpty) return resident.engine.kill();
        resident.use = { kind: 'standby' };
        resident.stopping = false;
        this.#shareThreads();
        this.#options.on.exited(modelId, { kept: true, reason: null });
      })
      .catch(() => resident.engine.kill());
  }

  startStandby(): void {
    this.#start();
  }

  stopStandby(): void {
    const resident = this.#standbys().at(-1);
    if (!resident) return;
    resident.stopping = true;
    resident.engine.kill();
  }

  /** What the model's process holds, as the system sees it. */
  async measure(modelId: string): Promise<number | null> {
    const resident = this.#residentOf(modelId);
    if (!resident || resident.stopping || resident.engine.pid === undefined) return null;
    const bytes = await this.#options.footprintBytes(resident.engine.pid);
    // One that was emptied meanwhile holds something else than the model.
    return resident.stopping || resident !== this.#residentOf(modelId) ? null : bytes;
  }

  /** What the model's slots hold; nothing when it is not loaded. */
  heldBy(modelId: string): HeldTokens {
    return this.#residentOf(modelId)?.engine.prefixes.held ?? NOTHING_HELD;
  }

  /**
   * Ends every process; resolves when the last is gone.
   * @param save whether what idle slots hold is saved before, in bounded time
   */
  async close(save = false): Promise<void> {
    if (save) await Promise.all([...this.#residents].map((resident) => this.#savePrefixes(resident)));
    const ended = [...this.#residents].map(
      (resident) =>
        new Promise<void>((resolve) => {
          this.#gone.add(() => {
            if (!this.#residents.has(resident)) resolve();
          });
          resident.stopping = true;
          resident.engine.kill();
        }),
    );
    await Promise.all(ended);
  }

  #start(): Resident {
    const { spawn, clock, silenceLimitMs, stallLimitMs, on } = this.#options;
    const resident: Resident = {
      engine: new Engine(spawn(), {
        clock,
        silenceLimitMs,
        stallLimitMs,
        onProgress: (progress) => {
          if (resident.use.kind === 'model') on.progress(resident.use.modelId, progress);
        },
        onExit: (exit) => this.#exited(resident, exit),
        onPrefix: (event) => {
          if (event.type === 'prefixBroken') this.#options.prefixes?.broken(event.file, event.reason);
          else this.#options.prefixes?.restored(event.file, event.bytes, event.restoreMs);
        },
      }),
      use: { kind: 'standby' },
      loading: false,
      loadError: null,
      stopping: false,
      prefixes: null,
    };
    this.#residents.add(resident);
    resident.engine.ready.then(
      ({ gpuBytes }) => {
        if (gpuBytes !== null) on.metalFound(gpuBytes);
        // One that is to load a model at once measures itself first, if no other was measured.
        const standsBy = () => resident.use.kind === 'standby';
        if (standsBy()) void this.#measureEmpty(resident, standsBy);
      },
      () => {},
    );
    return resident;
  }

  /** @param stillEmpty false when a load may have begun while the system was asked */
  async #measureEmpty(resident: Resident, stillEmpty: () => boolean): Promise<void> {
    if (resident.engine.pid === undefined) return;
    const bytes = await this.#options.footprintBytes(resident.engine.pid);
    if (bytes === null || !stillEmpty()) return;
    this.#emptyBytes = bytes;
    this.#options.on.standbyMeasured(bytes);
  }

  /** @returns whether the process may be kept */
  async #empty(resident: Resident, modelId: string, keep: boolean): Promise<boolean> {
    const { engine } = resident;
    if (!(await this.#savePrefixes(resident)) || !keep) return false;
    await engine.unload();
    if (this.#emptyBytes === null) return false;
    if (await this.#isAsWhenEmpty(engine)) return true;
    await engine.collect();
    if (await this.#isAsWhenEmpty(engine)) return true;
    this.#leavingMemory.add(modelId);
    return false;
  }

  async #isAsWhenEmpty({ pid }: Engine): Promise<boolean> {
    if (pid === undefined || this.#emptyBytes === null) return false;
    const bytes = await this.#options.footprintBytes(pid);
    return bytes !== null && bytes <= this.#emptyBytes + KEPT_GROWTH_BYTES;
  }

  #hasWorthSaving({ engine, prefixes }: Resident): boolean {
    return prefixes !== null && isLongEnough(engine.prefixes.held.deepestTokens);
  }

  /** @returns false when the engine is busy with it for too long */
  async #savePrefixes(resident: Resident): Promise<boolean> {
    const { prefixes: store, clock } = this.#options;
    if (!store || !resident.prefixes || !this.#hasWorthSaving(resident)) return true;
    return savePrefixes(resident.engine.prefixes, store, resident.prefixes, clock);
  }

  #exited(resident: Resident, exit: EngineExit): void {
    this.#residents.delete(resident);
    this.#shareThreads();
    const { on } = this.#options;
    const reason = exit.asked ? null : exit.reason;
    if (resident.use.kind === 'standby') {
      if (!resident.stopping) on.standbyExited(reason);
    } else if (resident.loadError && !resident.stopping) {
      on.loadFailed(resident.use.modelId, resident.loadError);
    } else if (resident.loading && !resident.stopping && !exit.asked && exit.killed) {
      on.loadFailed(resident.use.modelId, killedWhileLoading());
    } else {
      on.exited(resident.use.modelId, { kept: false, reason });
    }
    for (const gone of this.#gone) gone();
  }

  #residentOf(modelId: string): Resident | undefined {
    return [...this.#residents].find(({ use }) => use.kind === 'model' && use.modelId === modelId);
  }

  #standbys(): Resident[] {
    return [...this.#residents].filter(({ use, stopping }) => use.kind === 'standby' && !stopping);
  }

  /** Engines came or went: each gets its share of the cores anew. */
  #shareThreads(): void {
    const loaded = [...this.#residents].filter(({ use }) => use.kind === 'model');
    const share = sharedThreads(this.#options.cores, loaded.length);
    for (const { engine, use } of loaded) {
      if (use.kind === 'model') engine.setThreads(use.threads === 'auto' ? share : use.threads);
    }
  }
}

function killedWhileLoading(): RoundhouseError {
  return new RoundhouseError(
    'insufficient_memory',
    'its process was ended by SIGKILL, as the system does when memory has run out',
  );
}
