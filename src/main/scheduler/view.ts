import type { ModelState } from '../../shared/model-state.ts';

/** What deciding needs to know of a model. */
export interface ModelEntryView {
  readonly id: string;
  readonly state: ModelState;
  readonly slots: number;
  readonly pinned: boolean;
  readonly activeLeases: number;
  readonly waiters: number;
  /** What the ledger would reserve for it; `null` before it was estimated. */
  readonly neededBytes: number | null;
  /** Whether that holds for the file as it is now: it is looked at again before each load. */
  readonly estimateIsFresh: boolean;
  /** Its line in the ledger now; 0 when it has none. */
  readonly lineBytes: number;
  /** When it last served or became ready. */
  readonly lastUsedMs: number;
  /** Not before this may it be loaded again, because its engine died. */
  readonly notBeforeMs: number;
}

export interface SchedulerView {
  readonly nowMs: number;
  readonly budgetBytes: number;
  readonly freeBytes: number;
  readonly maxLoadedModels: number;
  readonly minResidencyMs: number;
  /** A standby process that a load would use up, and what it holds. */
  readonly standbyBytes: number;
  /** Promised to models that wait longer: not to be taken by this one. */
  readonly claimed: Room;
  readonly models: ReadonlyMap<string, ModelEntryView>;
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
