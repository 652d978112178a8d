import { assertNever } from '../../shared/assert-never.ts';
import type { PlanView, PressureLevel } from '../../shared/contract.ts';
import type { RoundhouseError } from '../../shared/errors.ts';
import type { Ledger } from '../memory/ledger.ts';
import { steadied } from '../memory/pressure.ts';
import type { SystemMemory } from '../memory/system-memory.ts';
import { Book } from './book.ts';
import { idleUnloadAtMs, nextDeadlineMs } from './deadlines.ts';
import { explain, refusal } from './explain.ts';
import { MAX_DEATHS, ModelEntry, type Waiter } from './model-entry.ts';
import { planLoad, type ReloadMs } from './plan.ts';
import type { Effect, ModelSpec, SchedulerEvent, SchedulerSettings } from './ports.ts';
import { relieve } from './relief.ts';
import { settle } from './settle.ts';
import type { ModelEntryView } from './view.ts';
import { needsRoom } from './waiting.ts';

const RETRY_AFTER_MS = 1000;

/**
 * Decides who gets a slot, what is loaded and what goes. Synchronous: each event is taken in one step and answered
 * with the effects to carry out, in order. It alone writes the states of models and the ledger, so that nothing can
 * change between a decision and what it changes.
 */
export class Scheduler {
  readonly #book: Book;

  constructor(settings: SchedulerSettings) {
    this.#book = new Book(settings);
  }

  get ledger(): Ledger {
    return this.#book.ledger;
  }

  /** Models that had to go for others, or for a smaller budget, since the start. */
  get evictions(): number {
    return this.#book.evictions;
  }

  get models(): ReadonlyMap<string, Readonly<ModelEntry>> {
    return this.#book.entries;
  }

  get settings(): SchedulerSettings {
    return this.#book.settings;
  }

  /** Whether somebody waits for a model that is not there. */
  get isWaitedFor(): boolean {
    return needsRoom(this.#book);
  }

  get standbyBytes(): number {
    return this.#book.standbyBytes;
  }

  /** Steadied: it lasts longer than single readings say. */
  get pressure(): PressureLevel {
    return this.#book.pressure.level;
  }

  /** As last read; `null` while nothing is known. */
  get system(): SystemMemory | null {
    return this.#book.system;
  }

  /** Takes one event. @returns what to do about it, in order */
  handle(event: SchedulerEvent, nowMs: number): Effect[] {
    this.#book.nowMs = nowMs;
    this.#take(event);
    settle(this.#book);
    return this.#book.takeEffects();
  }

  /** What loading a model would do now. @param neededBytes what it would reserve */
  plan(model: ModelEntryView, neededBytes: number, nowMs: number, reloadMs: ReloadMs): PlanView {
    this.#book.nowMs = nowMs;
    return planLoad(model, neededBytes, this.#book.situation(), reloadMs);
  }

  /** When something is due although nothing happens: a wait too long, an idle model, an end of backoff. */
  nextDeadlineMs(): number | null {
    return nextDeadlineMs(this.#book);
  }

  /** Monotonic time at which the model is unloaded if nobody asks for it; `null` while it is not going to be. */
  idleUnloadAtMs(entry: Readonly<ModelEntry>): number | null {
    return idleUnloadAtMs(entry);
  }

  #take(event: SchedulerEvent): void {
    switch (event.type) {
      case 'configChanged':
        return this.#configChanged(event.settings, event.models);
      case 'requested':
        return this.#requested(event.requestId, event.modelId, 'slot');
      case 'loadAsked':
        this.#book.entries.get(event.modelId)?.forgiven();
        return this.#requested(event.requestId, event.modelId, 'resident');
      case 'preloadAsked':
        return this.#requested(event.requestId, event.modelId, 'ahead');
      case 'unloadAsked':
        return this.#unloadAsked(event.requestId, event.modelId);
      case 'cancelled':
        this.#book.leaveLine(event.requestId);
        this.#book.withdrawUnload(event.requestId);
        return this.#book.release(event.requestId);
      case 'released':
        return this.#book.release(event.requestId);
      case 'estimated':
        return this.#estimated(event);
      case 'estimateFailed':
        return this.#estimateFailed(event.modelId, event.error);
      case 'progress':
        return this.#progress(event.modelId, event.progress);
      case 'loaded':
        return this.#loaded(event.modelId);
      case 'loadFailed':
        return this.#loadFailed(event.modelId, event.error);
      case 'measured':
        return this.#measured(event.modelId, event.bytes, event.prefixRebuildMs);
      case 'exited':
        return this.#exited(event.modelId, event.kept, event.reason ?? 'its process ended');
      case 'standbyExited':
        return this.#book.setStandbys(this.#book.standbys - 1);
      case 'pressure':
        return this.#pressureRead(event.level);
      case 'machine':
        this.#book.system = event.system;
        return;
      case 'tick':
        return;
      default:
        return assertNever(event);
    }
  }

  #configChanged(settings: SchedulerSettings, specs: readonly ModelSpec[]): void {
    this.#book.settings = settings;
    this.#book.ledger.setBudget(settings.budgetBytes);
    // What a standby holds may be known better by now.
    this.#book.setStandbys(this.#book.standbys);
    const wanted = new Set(specs.map((spec) => spec.id));
    for (const entry of this.#book.entries.values()) {
      if (wanted.has(entry.id)) continue;
      entry.removed = true;
      this.#book.rejectWaiters(entry, () => refusal.notFound(entry.id));
    }
    for (const spec of specs) {
      const entry = this.#book.entries.get(spec.id);
      if (entry) entry.respecify(spec);
      else this.#book.entries.set(spec.id, new ModelEntry(spec));
    }
  }

  #requested(requestId: number, modelId: string, wants: Waiter['wants']): void {
    const entry = this.#book.entries.get(modelId);
    if (!entry || entry.removed) return this.#book.reject(requestId, refusal.notFound(modelId));
    if (entry.isBroken) return this.#book.reject(requestId, refusal.broken(modelId, MAX_DEATHS));
    if (wants === 'slot') this.#book.demand.asked(modelId);
    const atOnce = entry.waiters === 0 && this.#book.canGrant(entry);
    if (!atOnce && this.#book.waitingAt.size >= this.#book.settings.maxQueue) {
      const retryAfterMs = Math.max(RETRY_AFTER_MS, this.#book.loadTimes.meanMs);
      return this.#book.reject(requestId, refusal.queueFull(this.#book.settings.maxQueue, retryAfterMs));
    }
    this.#book.enqueue(entry, requestId, wants);
  }

  #unloadAsked(requestId: number, modelId: string): void {
    const entry = this.#book.entries.get(modelId);
    if (!entry) return this.#book.reject(requestId, refusal.notFound(modelId));
    if (entry.state.status === 'failed') entry.apply({ type: 'forget' });
    entry.forgiven();
    this.#book.rejectWaiters(entry, ({ wants }) =>
      wants === 'slot' ? refusal.unloaded(modelId) : refusal.loadCancelled(modelId),
    );
    if (entry.state.status === 'unloaded') return this.#book.emit({ type: 'done', requestId });
    entry.unloadAsks.push(requestId);
    if (entry.state.status === 'loading')
      this.#book.stop(entry, explain.unloaded(entry, 'asked to, while loading'));
  }

  #estimated({ modelId, bytes, learned, lighter }: Extract<SchedulerEvent, { type: 'estimated' }>): void {
    const entry = this.#book.entries.get(modelId);
    if (!entry) return;
    entry.estimated(bytes, learned, lighter);
    if (entry.lineBytes > 0) this.#book.ledger.hold(modelId, entry.lineBytes);
  }

  #estimateFailed(modelId: string, error: RoundhouseError): void {
    const entry = this.#book.entries.get(modelId);
    if (!entry) return;
    entry.estimateAsked = false;
    this.#book.rejectWaiters(entry, () => error);
    this.#book.explain(modelId, explain.loadFailed(modelId, error));
  }

  #progress(modelId: string, progress: number): void {
    const entry = this.#book.entries.get(modelId);
    // A last report may come after the load was stopped.
    if (entry?.state.status === 'loading') entry.apply({ type: 'progress', progress });
  }

  #loaded(modelId: string): void {
    const entry = this.#book.entries.get(modelId);
    // It may have been stopped meanwhile; then `exited` is on its way.
    if (entry?.state.status !== 'loading') return;
    const loadMs = this.#book.nowMs - entry.state.sinceMs;
    this.#book.loadTimes.loaded(modelId, entry.lineBytes, loadMs);
    entry.apply({ type: 'loaded', atMs: this.#book.nowMs });
    entry.ranOutOfMemory = false;
    entry.lastUsedMs = this.#book.nowMs;
    this.#book.explain(modelId, explain.loaded(modelId, loadMs));
  }

  #loadFailed(modelId: string, error: RoundhouseError): void {
    const entry = this.#book.entries.get(modelId);
    if (entry?.state.status === 'stopping') return this.#book.stopped(entry);
    if (entry?.state.status !== 'loading') return;
    const isMemory = error.code === 'insufficient_memory';
    if (isMemory && entry.waiters > 0 && !entry.ranOutOfMemory) return this.#loadAgain(entry, error);
    const seen = this.#book.seen();
    // Its own line is free again.
    const left = { ...seen, freeBytes: seen.freeBytes + entry.lineBytes };
    const reason = isMemory && entry.ranOutOfMemory ? refusal.outOfMemory(entry, error, left) : error;
    entry.ranOutOfMemory = false;
    // Processes that die while they load count as those that die at work: not for ever, and not without a pause.
    if (isMemory) entry.died(this.#book.nowMs);
    this.#book.failed(entry, reason.message);
    this.#book.rejectWaiters(entry, () => reason);
    this.#book.explain(modelId, explain.loadFailed(modelId, reason));
  }

  /** Those who wait go on waiting; from now on all that is idle makes way for them. */
  #loadAgain(entry: ModelEntry, error: RoundhouseError): void {
    entry.ranOutOfMemory = true;
    entry.apply({ type: 'stop', atMs: this.#book.nowMs });
    this.#book.stopped(entry);
    this.#book.explain(entry.id, explain.loadingAgain(entry, error, this.#book.seen()));
  }

  #pressureRead(level: PressureLevel): void {
    const before = this.#book.pressure.level;
    this.#book.pressure = steadied(this.#book.pressure, level, this.#book.nowMs);
    const now = this.#book.pressure.level;
    if (now !== before) this.#book.explain(null, explain.pressure(now, this.#book.seen()));
    relieve(this.#book, level);
  }

  #measured(modelId: string, bytes: number, prefixRebuildMs: number | undefined): void {
    const entry = this.#book.entries.get(modelId);
    if (entry?.state.status !== 'ready' && entry?.state.status !== 'draining') return;
    entry.measured(bytes);
    entry.prefixRebuildMs = prefixRebuildMs ?? entry.prefixRebuildMs;
    this.#book.ledger.hold(modelId, entry.lineBytes);
  }

  #exited(modelId: string, kept: boolean, reason: string): void {
    const entry = this.#book.entries.get(modelId);
    if (!entry || entry.state.status === 'unloaded' || entry.state.status === 'failed') return;
    if (entry.state.status === 'stopping') {
      this.#book.stopped(entry);
      if (kept) this.#book.setStandbys(this.#book.standbys + 1);
      return;
    }
    this.#book.explain(modelId, explain.engineFailed(entry, reason));
    const deaths = entry.died(this.#book.nowMs);
    this.#book.failed(entry, reason);
    if (deaths >= MAX_DEATHS) this.#book.rejectWaiters(entry, () => refusal.broken(modelId, deaths));
  }
}
