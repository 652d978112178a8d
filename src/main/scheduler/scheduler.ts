import { assertNever } from '../../shared/assert-never.ts';
import type { RoundhouseError } from '../../shared/errors.ts';
import { Ledger } from '../memory/ledger.ts';
import { decide } from './decide.ts';
import { isVictim } from './evict.ts';
import { explain, type MemorySeen, refusal } from './explain.ts';
import { MAX_DEATHS, ModelEntry, type Waiter } from './model-entry.ts';
import type { Effect, ModelSpec, SchedulerEvent, SchedulerSettings } from './ports.ts';
import { NO_ROOM, type Room, type SchedulerView } from './view.ts';

const STANDBY = 'standby';
const MIN_OVERDUE_MS = 10_000;
/** Weight of the newest load in the running mean of load times. */
const LOAD_TIME_WEIGHT = 0.2;
const RETRY_AFTER_MS = 1000;

/**
 * Decides who gets a slot, what is loaded and what goes. Synchronous: each event is taken in one step and answered
 * with the effects to carry out, in order. It alone writes the states of models and the ledger, so that nothing can
 * change between a decision and what it changes.
 */
export class Scheduler {
  readonly ledger: Ledger;
  readonly #entries = new Map<string, ModelEntry>();
  /** Where each waiting request waits, and where each granted one was granted. */
  readonly #waitingAt = new Map<number, ModelEntry>();
  readonly #grantedAt = new Map<number, ModelEntry>();
  #settings: SchedulerSettings;
  #standbys = 0;
  #meanLoadMs = 0;
  #nowMs = 0;
  #effects: Effect[] = [];

  constructor(settings: SchedulerSettings) {
    this.#settings = settings;
    this.ledger = new Ledger(settings.budgetBytes);
  }

  get models(): ReadonlyMap<string, Readonly<ModelEntry>> {
    return this.#entries;
  }

  get settings(): SchedulerSettings {
    return this.#settings;
  }

  get standbyBytes(): number {
    return this.ledger.lineBytes(STANDBY);
  }

  /** Takes one event. @returns what to do about it, in order */
  handle(event: SchedulerEvent, nowMs: number): Effect[] {
    this.#nowMs = nowMs;
    this.#effects = [];
    this.#take(event);
    this.#settle();
    return this.#effects;
  }

  /** When something is due although nothing happens: a wait too long, an idle model, an end of backoff. */
  nextDeadlineMs(): number | null {
    const deadlines: number[] = [];
    const roomNeeded = this.#needsRoom();
    for (const entry of this.#entries.values()) {
      const oldest = entry.oldestWaiter;
      if (oldest)
        deadlines.push(oldest.arrivedMs + this.#settings.maxWaitMs, this.#overdueAtMs(entry, oldest));
      if (oldest) deadlines.push(entry.notBeforeMs);
      deadlines.push(this.idleUnloadAtMs(entry) ?? 0);
      if (roomNeeded && entry.state.status === 'ready') {
        deadlines.push(entry.state.sinceMs + this.#settings.minResidencyMs);
      }
    }
    const future = deadlines.filter((ms) => ms > this.#nowMs);
    return future.length === 0 ? null : Math.min(...future);
  }

  /** Monotonic time at which the model is unloaded if nobody asks for it; `null` while it is not going to be. */
  idleUnloadAtMs(entry: Readonly<ModelEntry>): number | null {
    const { idleUnloadMs } = entry.spec;
    if (entry.state.status !== 'ready' || entry.pinned || idleUnloadMs === null) return null;
    return entry.leases.size > 0 || entry.waiters > 0 ? null : entry.lastUsedMs + idleUnloadMs;
  }

  #take(event: SchedulerEvent): void {
    switch (event.type) {
      case 'configChanged':
        return this.#configChanged(event.settings, event.models);
      case 'requested':
        return this.#requested(event.requestId, event.modelId, 'slot');
      case 'loadAsked':
        this.#entries.get(event.modelId)?.forgiven();
        return this.#requested(event.requestId, event.modelId, 'resident');
      case 'unloadAsked':
        return this.#unloadAsked(event.requestId, event.modelId);
      case 'cancelled':
        this.#leaveLine(event.requestId);
        return this.#release(event.requestId);
      case 'released':
        return this.#release(event.requestId);
      case 'estimated':
        return this.#entries.get(event.modelId)?.estimated(event.bytes);
      case 'estimateFailed':
        return this.#estimateFailed(event.modelId, event.error);
      case 'progress':
        return this.#progress(event.modelId, event.progress);
      case 'loaded':
        return this.#loaded(event.modelId);
      case 'loadFailed':
        return this.#loadFailed(event.modelId, event.error);
      case 'measured':
        return this.#measured(event.modelId, event.bytes);
      case 'exited':
        return this.#exited(event.modelId, event.kept, event.reason ?? 'its process ended');
      case 'standbyExited':
        return this.#setStandbys(this.#standbys - 1);
      case 'tick':
        return;
      default:
        return assertNever(event);
    }
  }

  #configChanged(settings: SchedulerSettings, specs: readonly ModelSpec[]): void {
    this.#settings = settings;
    this.ledger.setBudget(settings.budgetBytes);
    const wanted = new Set(specs.map((spec) => spec.id));
    for (const entry of this.#entries.values()) {
      if (wanted.has(entry.id)) continue;
      entry.removed = true;
      this.#rejectWaiters(entry, refusal.notFound(entry.id));
    }
    for (const spec of specs) {
      const entry = this.#entries.get(spec.id);
      if (entry) entry.respecify(spec);
      else this.#entries.set(spec.id, new ModelEntry(spec));
    }
  }

  #requested(requestId: number, modelId: string, wants: Waiter['wants']): void {
    const entry = this.#entries.get(modelId);
    if (!entry || entry.removed) return this.#reject(requestId, refusal.notFound(modelId));
    if (entry.isBroken(this.#nowMs)) return this.#reject(requestId, refusal.broken(modelId, MAX_DEATHS));
    const atOnce = entry.waiters === 0 && this.#canGrant(entry);
    if (!atOnce && this.#waitingAt.size >= this.#settings.maxQueue) {
      const retryAfterMs = Math.max(RETRY_AFTER_MS, this.#meanLoadMs);
      return this.#reject(requestId, refusal.queueFull(this.#settings.maxQueue, retryAfterMs));
    }
    entry.waiting.set(requestId, { requestId, arrivedMs: this.#nowMs, wants });
    this.#waitingAt.set(requestId, entry);
  }

  #unloadAsked(requestId: number, modelId: string): void {
    const entry = this.#entries.get(modelId);
    if (!entry) return this.#reject(requestId, refusal.notFound(modelId));
    if (entry.state.status === 'failed') entry.apply({ type: 'forget' });
    this.#rejectWaiters(entry, refusal.unloaded(modelId));
    if (entry.state.status === 'unloaded') return this.#emit({ type: 'done', requestId });
    entry.unloadAsks.push(requestId);
    if (entry.state.status === 'loading')
      this.#stop(entry, explain.unloaded(entry, 'asked to, while loading'));
  }

  #release(requestId: number): void {
    const entry = this.#grantedAt.get(requestId);
    if (!entry) return;
    this.#grantedAt.delete(requestId);
    entry.leases.delete(requestId);
    entry.lastUsedMs = this.#nowMs;
  }

  #estimateFailed(modelId: string, error: RoundhouseError): void {
    const entry = this.#entries.get(modelId);
    if (!entry) return;
    entry.estimateAsked = false;
    this.#rejectWaiters(entry, error);
    this.#explain(modelId, explain.loadFailed(modelId, error));
  }

  #progress(modelId: string, progress: number): void {
    const entry = this.#entries.get(modelId);
    // A last report may come after the load was stopped.
    if (entry?.state.status === 'loading') entry.apply({ type: 'progress', progress });
  }

  #loaded(modelId: string): void {
    const entry = this.#entries.get(modelId);
    // It may have been stopped meanwhile; then `exited` is on its way.
    if (entry?.state.status !== 'loading') return;
    const loadMs = this.#nowMs - entry.state.sinceMs;
    this.#meanLoadMs += (loadMs - this.#meanLoadMs) * (this.#meanLoadMs === 0 ? 1 : LOAD_TIME_WEIGHT);
    entry.apply({ type: 'loaded', atMs: this.#nowMs });
    entry.lastUsedMs = this.#nowMs;
    this.#explain(modelId, explain.loaded(modelId, loadMs));
  }

  #loadFailed(modelId: string, error: RoundhouseError): void {
    const entry = this.#entries.get(modelId);
    if (entry?.state.status === 'stopping') return this.#stopped(entry);
    if (entry?.state.status !== 'loading') return;
    this.#failed(entry, error.message);
    this.#rejectWaiters(entry, error);
    this.#explain(modelId, explain.loadFailed(modelId, error));
  }

  #measured(modelId: string, bytes: number): void {
    const entry = this.#entries.get(modelId);
    if (entry?.state.status !== 'ready' && entry?.state.status !== 'draining') return;
    entry.measured(bytes);
    this.ledger.hold(modelId, entry.lineBytes);
  }

  #exited(modelId: string, kept: boolean, reason: string): void {
    const entry = this.#entries.get(modelId);
    if (!entry || entry.state.status === 'unloaded' || entry.state.status === 'failed') return;
    if (entry.state.status === 'stopping') {
      this.#stopped(entry);
      if (kept) this.#setStandbys(this.#standbys + 1);
      return;
    }
    this.#explain(modelId, explain.engineFailed(entry, reason));
    const deaths = entry.died(this.#nowMs);
    this.#failed(entry, reason);
    if (deaths >= MAX_DEATHS) this.#rejectWaiters(entry, refusal.broken(modelId, deaths));
  }

  /** Brings everything to rest: whatever can be granted, loaded, evicted or rejected now, is. */
  #settle(): void {
    this.#expireWaiters();
    this.#resumeUnneeded();
    this.#grant();
    this.#drainAsked();
    this.#stopDrained();
    this.#loadWaitedFor();
    this.#stopIdle();
    this.#forgetRemoved();
    this.#keepStandbys();
  }

  #expireWaiters(): void {
    for (const entry of this.#entries.values()) {
      for (const waiter of entry.waiting.values()) {
        const waitedMs = this.#nowMs - waiter.arrivedMs;
        if (waitedMs < this.#settings.maxWaitMs) break;
        this.#leaveLine(waiter.requestId);
        this.#reject(waiter.requestId, refusal.waitedTooLong(entry.id, waitedMs, entry));
      }
    }
  }

  /** Models that were to make room go on serving when nobody needs the room any more. */
  #resumeUnneeded(): void {
    if (this.#needsRoom()) return;
    for (const entry of this.#entries.values()) {
      if (entry.state.status === 'draining' && !this.#mustGo(entry)) entry.apply({ type: 'resume' });
    }
  }

  #grant(): void {
    for (const entry of this.#entries.values()) {
      for (const waiter of entry.waiting.values()) {
        if (waiter.wants === 'resident' && entry.state.status === 'ready') {
          this.#leaveLine(waiter.requestId);
          this.#emit({ type: 'done', requestId: waiter.requestId });
        } else if (this.#canGrant(entry)) {
          this.#leaveLine(waiter.requestId);
          entry.leases.add(waiter.requestId);
          this.#grantedAt.set(waiter.requestId, entry);
          entry.lastUsedMs = this.#nowMs;
          this.#emit({ type: 'grant', requestId: waiter.requestId, modelId: entry.id });
        } else {
          break;
        }
      }
    }
  }

  #drainAsked(): void {
    for (const entry of this.#entries.values()) {
      if (entry.state.status === 'ready' && this.#mustGo(entry)) {
        entry.apply({ type: 'drain', atMs: this.#nowMs });
      }
    }
  }

  #stopDrained(): void {
    for (const entry of this.#entries.values()) {
      if (entry.state.status !== 'draining' || entry.leases.size > 0) continue;
      const why = entry.removed
        ? 'no longer configured'
        : entry.unloadAsks.length > 0
          ? 'asked to'
          : 'drained';
      this.#stop(entry, explain.unloaded(entry, why));
    }
  }

  /** One model after the other, the longest-waiting first; what one is promised, those behind it do not get. */
  #loadWaitedFor(): void {
    let claimed = NO_ROOM;
    for (const entry of this.#waitedFor()) {
      const overdue = this.#nowMs >= this.#overdueAtMs(entry, entry.oldestWaiter);
      const decision = decide(entry, this.#view(claimed), overdue);
      switch (decision.type) {
        case 'serve':
        case 'join':
          break;
        case 'reject':
          this.#rejectWaiters(entry, decision.error);
          this.#explain(entry.id, decision.error.message);
          break;
        case 'load':
          this.#load(entry);
          break;
        case 'evict':
          for (const id of decision.victims) this.#evict(id, entry);
          // A place is free at once, and memory may have been all along: then nothing need wait for the victim's end.
          if (decide(entry, this.#view(claimed), false).type === 'load') this.#load(entry);
          else claimed = withClaim(claimed, entry);
          break;
        case 'queue':
          if (decision.why === 'estimate') this.#estimate(entry);
          // One that waits its turn does not hold up smaller ones; one whose turn it is gets the next room.
          if (decision.why === 'memory' || (decision.why === 'victim' && overdue))
            claimed = withClaim(claimed, entry);
          break;
        default:
          assertNever(decision);
      }
    }
  }

  #stopIdle(): void {
    for (const entry of this.#entries.values()) {
      const atMs = this.idleUnloadAtMs(entry);
      if (atMs !== null && this.#nowMs >= atMs) this.#stop(entry, explain.idle(entry, this.#nowMs));
    }
    // A lowered budget, or growth beyond what was predicted: idle models go until the budget holds again.
    for (const entry of this.#idleOldestFirst()) {
      const overBytes = -this.ledger.freeBytes - this.#stoppingBytes();
      if (overBytes <= 0) break;
      this.#stop(entry, explain.overBudget(entry, overBytes, this.#settings));
    }
  }

  #forgetRemoved(): void {
    for (const entry of this.#entries.values()) {
      if (!entry.removed) continue;
      if (entry.state.status === 'loading')
        this.#stop(entry, explain.unloaded(entry, 'no longer configured'));
      if (entry.state.status === 'unloaded' || entry.state.status === 'failed')
        this.#entries.delete(entry.id);
    }
  }

  /** Standbys are started when nothing is on its way in or out: a model that stops may leave one behind. */
  #keepStandbys(): void {
    const { standbyEngines, standbyBytes } = this.#settings;
    while (this.#standbys > standbyEngines) {
      this.#setStandbys(this.#standbys - 1);
      this.#emit({ type: 'stopStandby' });
    }
    if (this.#needsRoom() || this.#isMoving()) return;
    while (this.#standbys < standbyEngines && this.ledger.freeBytes >= standbyBytes) {
      this.#setStandbys(this.#standbys + 1);
      this.#emit({ type: 'startStandby' });
    }
  }

  #load(entry: ModelEntry): void {
    const bytes = entry.neededBytes;
    if (bytes === null) throw new Error(`${entry.id} is to be loaded without an estimate`);
    const seen = this.#seen();
    const useStandby = this.#standbys > 0;
    if (useStandby) this.#setStandbys(this.#standbys - 1);
    this.ledger.reserve(entry.id, bytes);
    entry.lineBytes = bytes;
    entry.loadedKey = entry.spec.memoryKey;
    entry.apply({ type: 'load', atMs: this.#nowMs });
    this.#emit({ type: 'load', modelId: entry.id, useStandby });
    this.#explain(entry.id, explain.loading(entry, seen));
  }

  #evict(victimId: string, forModel: ModelEntry): void {
    const victim = this.#entries.get(victimId);
    if (!victim) return;
    if (victim.leases.size === 0) {
      return this.#stop(victim, explain.evicted(victim, forModel, this.#seen(), this.#nowMs));
    }
    victim.apply({ type: 'drain', atMs: this.#nowMs });
    this.#explain(victim.id, explain.draining(victim, forModel, this.#seen()));
  }

  #stop(entry: ModelEntry, why: string): void {
    entry.apply({ type: 'stop', atMs: this.#nowMs });
    entry.servedUntilMs = this.#nowMs;
    this.#emit({ type: 'stop', modelId: entry.id, keep: this.#settings.standbyEngines > 0 });
    this.#explain(entry.id, why);
  }

  #stopped(entry: ModelEntry): void {
    entry.apply({ type: 'exited' });
    this.#gone(entry);
  }

  #failed(entry: ModelEntry, reason: string): void {
    entry.apply({ type: 'fail', atMs: this.#nowMs, reason });
    this.#gone(entry);
  }

  #gone(entry: ModelEntry): void {
    this.ledger.release(entry.id);
    entry.lineBytes = 0;
    for (const requestId of entry.leases) this.#grantedAt.delete(requestId);
    entry.leases.clear();
    for (const requestId of entry.unloadAsks.splice(0)) this.#emit({ type: 'done', requestId });
  }

  #estimate(entry: ModelEntry): void {
    if (entry.estimateAsked) return;
    entry.estimateAsked = true;
    this.#emit({ type: 'estimate', modelId: entry.id });
  }

  #setStandbys(count: number): void {
    this.#standbys = Math.max(0, count);
    this.ledger.hold(STANDBY, this.#standbys * this.#settings.standbyBytes);
  }

  #rejectWaiters(entry: ModelEntry, error: RoundhouseError): void {
    for (const { requestId } of entry.waiting.values()) {
      this.#leaveLine(requestId);
      this.#reject(requestId, error);
    }
  }

  #leaveLine(requestId: number): void {
    this.#waitingAt.get(requestId)?.waiting.delete(requestId);
    this.#waitingAt.delete(requestId);
  }

  #canGrant(entry: ModelEntry): boolean {
    return entry.state.status === 'ready' && !this.#mustGo(entry) && entry.leases.size < entry.slots;
  }

  #mustGo(entry: ModelEntry): boolean {
    return entry.removed || entry.unloadAsks.length > 0;
  }

  #waitedFor(): ModelEntry[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.waiters > 0)
      .toSorted((a, b) => (a.oldestWaiter?.arrivedMs ?? 0) - (b.oldestWaiter?.arrivedMs ?? 0));
  }

  #idleOldestFirst(): ModelEntry[] {
    return [...this.#entries.values()]
      .filter((entry) => isVictim(entry, this.#view(NO_ROOM)))
      .toSorted((a, b) => a.lastUsedMs - b.lastUsedMs);
  }

  /** Somebody waits for a model that is neither here nor on its way. */
  #needsRoom(): boolean {
    return [...this.#entries.values()].some(
      ({ waiters, state }) =>
        waiters > 0 &&
        (state.status === 'unloaded' || state.status === 'failed' || state.status === 'stopping'),
    );
  }

  #isMoving(): boolean {
    return [...this.#entries.values()].some(
      ({ state }) => state.status === 'loading' || state.status === 'stopping',
    );
  }

  #stoppingBytes(): number {
    let bytes = 0;
    for (const { state, lineBytes } of this.#entries.values())
      if (state.status === 'stopping') bytes += lineBytes;
    return bytes;
  }

  /** Turns are counted from when the model's requests were last served, or each swap would serve only a few. */
  #overdueAtMs(entry: ModelEntry, oldest: Waiter | undefined): number {
    const sinceMs = Math.max(oldest?.arrivedMs ?? this.#nowMs, entry.servedUntilMs);
    return sinceMs + Math.max(MIN_OVERDUE_MS, 2 * this.#meanLoadMs);
  }

  #view(claimed: Room): SchedulerView {
    return {
      nowMs: this.#nowMs,
      budgetBytes: this.#settings.budgetBytes,
      freeBytes: this.ledger.freeBytes,
      maxLoadedModels: this.#settings.maxLoadedModels,
      minResidencyMs: this.#settings.minResidencyMs,
      standbyBytes: this.#standbys > 0 ? this.#settings.standbyBytes : 0,
      claimed,
      models: this.#entries,
    };
  }

  #seen(): MemorySeen {
    return { freeBytes: this.ledger.freeBytes, settings: this.#settings };
  }

  #emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  #reject(requestId: number, error: RoundhouseError): void {
    this.#emit({ type: 'reject', requestId, error });
  }

  #explain(modelId: string, text: string): void {
    this.#emit({ type: 'explain', modelId, text });
  }
}

function withClaim(claimed: Room, entry: ModelEntry): Room {
  return { bytes: claimed.bytes + (entry.neededBytes ?? 0), models: claimed.models + 1 };
}
