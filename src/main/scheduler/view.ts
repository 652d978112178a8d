import type { ModelState } from '../../shared/model-state.ts';
import type { EvictionPolicy, LighterSettings } from './ports.ts';

/** What deciding needs to know of a model. */
export interface ModelEntryView {
  readonly id: string;
  readonly state: ModelState;
  readonly slots: number;
  readonly pinned: boolean;
  readonly activeLeases: number;
  readonly waiters: number;
  /** When the first of those who wait came; `null` when nobody waits. */
  readonly oldestArrivalMs: number | null;
  /** What the ledger would reserve for it; `null` before it was estimated. */
  readonly neededBytes: number | null;
  /** Whether that holds for the file as it is now: it is looked at again before each load. */
  readonly estimateIsFresh: boolean;
  /** Settings with which it would fit, as far as they are known. */
  readonly lighter: LighterSettings | null;
  /** Its line in the ledger now; 0 when it has none. */
  readonly lineBytes: number;
  /** When it last served or became ready. */
  readonly lastUsedMs: number;
  /** How long it would take to have again the prefix caches that go with it. */
  readonly prefixRebuildMs: number;
  /** Not before this may it be loaded again, because its engine died. */
  readonly notBeforeMs: number;
  /** Its load failed for memory: it is tried again when nothing is idle that could go first. */
  readonly ranOutOfMemory: boolean;
}

export interface SchedulerView {
  readonly nowMs: number;
  readonly budgetBytes: number;
  /** The budget, or what other programs leave of it. */
  readonly limitBytes: number;
  /** Of the limit, what is not reserved; negative when more is. */
  readonly freeBytes: number;
  readonly maxLoadedModels: number;
  readonly minResidencyMs: number;
  /** A standby process that a load would use up, and what it holds. */
  readonly standbyBytes: number;
  readonly eviction: EvictionPolicy;
  readonly models: ReadonlyMap<string, ModelEntryView>;
  /** How long loading the model takes, in milliseconds, as far as it is known. */
  loadMs(model: ModelEntryView): number;
  /** What losing the model is expected to cost, in milliseconds for each request that comes. */
  lossMs(model: ModelEntryView): number;
}

export interface Room {
  readonly bytes: number;
  readonly models: number;
}

export const NO_ROOM: Room = { bytes: 0, models: 0 };

/** Loading or loaded. A stopping model takes no place, only memory, until that is seen to be back. */
export function takesPlace(state: ModelState): boolean {
  return state.status === 'loading' || state.status === 'ready' || state.status === 'draining';
}
