import type { RoundhouseError } from '../../shared/errors.ts';
import { Ledger } from '../memory/ledger.ts';
import { CALM } from '../memory/pressure.ts';
import { engineRoomBytes, type SystemMemory } from '../memory/system-memory.ts';
import { Demand } from './demand.ts';
import { explain, type MemorySeen } from './explain.ts';
import { LoadTimes } from './load-times.ts';
import type { ModelEntry, Waiter } from './model-entry.ts';
import type { Effect, SchedulerSettings } from './ports.ts';
import { Situation } from './situation.ts';
import { waitBoundMs } from './turns.ts';
import type { ModelEntryView } from './view.ts';

const STANDBY = 'standby';

/**
 * Everything the scheduler knows, and the single steps that change it, each with its effect. Which step is taken when is
 * decided elsewhere: by the event that came (`scheduler.ts`) and by the rules that follow each event (`settle.ts`).
 */
export class Book {
  readonly ledger: Ledger;
  readonly entries = new Map<string, ModelEntry>();
  /** Where each waiting request waits, and where each granted one was granted. */
  readonly waitingAt = new Map<number, ModelEntry>();
  readonly grantedAt = new Map<number, ModelEntry>();
  settings: SchedulerSettings;
  standbys = 0;
  evictions = 0;
  readonly demand = new Demand();
  readonly loadTimes = new LoadTimes();
  pressure = CALM;
  /** As last read; `null` while nothing is known. */
  system: SystemMemory | null = null;
  /** When an idle model was last unloaded because memory was short. */
  relievedMs = Number.NEGATIVE_INFINITY;
  /** Since when engines hold more than the budget; `null` while they do not. */
  overrunSinceMs: number | null = null;
  nowMs = 0;
  #effects: Effect[] = [];

  constructor(settings: SchedulerSettings) {
    this.settings = settings;
    this.ledger = new Ledger(settings.budgetBytes);
  }

  /** How long a model may be waited for before its turn is due. */
  get waitBoundMs(): number {
    return waitBoundMs(this.loadTimes.meanMs);
  }

  get standbyBytes(): number {
    return this.ledger.lineBytes(STANDBY);
  }

  /** The budget, or what other programs leave of it. */
  get limitBytes(): number {
    const { budgetBytes } = this.ledger;
    return this.system ? Math.min(budgetBytes, engineRoomBytes(this.system)) : budgetBytes;
  }

  /** Of the limit, what is not reserved; negative when more is. */
  get freeBytes(): number {
    return this.limitBytes - this.ledger.reservedBytes;
  }

  get wantedStandbys(): number {
    return this.pressure.level === 'normal' ? this.settings.standbyEngines : 0;
  }

  /** The effects since the last call. */
  takeEffects(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  enqueue(entry: ModelEntry, requestId: number, wants: Waiter['wants']): void {
    if (entry.waiting.size === 0) {
      entry.ranOutOfMemory = false;
      entry.toldWhy = null;
    }
    entry.waiting.set(requestId, { requestId, arrivedMs: this.nowMs, wants });
    this.waitingAt.set(requestId, entry);
  }

  /** Gives a slot to a request that waits. */
  grant(entry: ModelEntry, requestId: number): void {
    this.leaveLine(requestId);
    entry.leases.add(requestId);
    this.grantedAt.set(requestId, entry);
    entry.lastUsedMs = this.nowMs;
    this.emit({ type: 'grant', requestId, modelId: entry.id });
  }

  load(entry: ModelEntry): void {
    const bytes = entry.neededBytes;
    if (bytes === null) throw new Error(`${entry.id} is to be loaded without an estimate`);
    const seen = this.seen();
    const useStandby = this.standbys > 0;
    if (useStandby) this.setStandbys(this.standbys - 1);
    this.ledger.reserve(entry.id, bytes);
    entry.lineBytes = bytes;
    entry.loadedKey = entry.spec.memoryKey;
    entry.toldWhy = null;
    entry.apply({ type: 'load', atMs: this.nowMs });
    this.emit({ type: 'load', modelId: entry.id, useStandby });
    const requests = [...entry.waiting.values()].filter(({ wants }) => wants === 'slot').length;
    this.explain(entry.id, explain.loading(entry, requests, seen));
  }

  stop(entry: ModelEntry, why: string): void {
    entry.apply({ type: 'stop', atMs: this.nowMs });
    entry.servedUntilMs = this.nowMs;
    this.emit({ type: 'stop', modelId: entry.id, keep: this.wantedStandbys > 0 });
    this.explain(entry.id, why);
  }

  /** No longer configured and no longer there. */
  forget(entry: ModelEntry): void {
    this.entries.delete(entry.id);
    this.demand.forget(entry.id);
    this.loadTimes.forget(entry.id);
  }

  stopped(entry: ModelEntry): void {
    entry.apply({ type: 'exited' });
    this.gone(entry);
  }

  failed(entry: ModelEntry, reason: string): void {
    entry.apply({ type: 'fail', atMs: this.nowMs, reason });
    this.gone(entry);
  }

  gone(entry: ModelEntry): void {
    this.ledger.release(entry.id);
    entry.lineBytes = 0;
    entry.prefixRebuildMs = 0;
    entry.estimateIsFresh = false;
    for (const requestId of entry.leases) this.grantedAt.delete(requestId);
    entry.leases.clear();
    for (const requestId of entry.unloadAsks.splice(0)) this.emit({ type: 'done', requestId });
  }

  release(requestId: number): void {
    const entry = this.grantedAt.get(requestId);
    if (!entry) return;
    this.grantedAt.delete(requestId);
    entry.leases.delete(requestId);
    entry.lastUsedMs = this.nowMs;
  }

  estimate(entry: ModelEntry): void {
    if (entry.estimateAsked) return;
    entry.estimateAsked = true;
    this.emit({ type: 'estimate', modelId: entry.id });
  }

  setStandbys(count: number): void {
    this.standbys = Math.max(0, count);
    this.ledger.hold(STANDBY, this.standbys * this.settings.standbyBytes);
  }

  startStandby(): void {
    this.setStandbys(this.standbys + 1);
    this.emit({ type: 'startStandby' });
  }

  stopStandby(): void {
    this.setStandbys(this.standbys - 1);
    this.emit({ type: 'stopStandby' });
  }

  /** Who asked for an unload does not want it any more: nobody is told, and one that only drains goes on. */
  withdrawUnload(requestId: number): void {
    for (const { unloadAsks } of this.entries.values()) {
      const index = unloadAsks.indexOf(requestId);
      if (index !== -1) unloadAsks.splice(index, 1);
    }
  }

  /** Turns away everybody who waits for the model. */
  rejectWaiters(entry: ModelEntry, errorFor: (waiter: Waiter) => RoundhouseError): void {
    for (const waiter of entry.waiting.values()) {
      this.leaveLine(waiter.requestId);
      this.reject(waiter.requestId, errorFor(waiter));
    }
  }

  leaveLine(requestId: number): void {
    this.waitingAt.get(requestId)?.waiting.delete(requestId);
    this.waitingAt.delete(requestId);
  }

  canGrant(entry: ModelEntry): boolean {
    return entry.state.status === 'ready' && !this.mustGo(entry) && entry.leases.size < entry.slots;
  }

  mustGo(entry: ModelEntry): boolean {
    return entry.removed || entry.unloadAsks.length > 0;
  }

  situation(): Situation {
    const loadMs = (model: ModelEntryView) => this.loadTimes.of(model.id, model.lineBytes);
    return new Situation({
      nowMs: this.nowMs,
      budgetBytes: this.settings.budgetBytes,
      limitBytes: this.limitBytes,
      freeBytes: this.freeBytes,
      maxLoadedModels: this.settings.maxLoadedModels,
      minResidencyMs: this.settings.minResidencyMs,
      standbyBytes: this.standbys > 0 ? this.settings.standbyBytes : 0,
      eviction: this.settings.eviction,
      models: this.entries,
      loadMs,
      // Loading it again mostly means that another has to go, and to be loaded again in its turn.
      lossMs: (model) =>
        this.demand.shareOf(model.id) * (loadMs(model) + this.loadTimes.meanMs + model.prefixRebuildMs),
    });
  }

  seen(): MemorySeen {
    const { freeBytes, limitBytes, settings, system } = this;
    return { freeBytes, limitBytes, settings, system };
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  reject(requestId: number, error: RoundhouseError): void {
    this.emit({ type: 'reject', requestId, error });
  }

  explain(modelId: string | null, text: string): void {
    this.emit({ type: 'explain', modelId, text });
  }
}
