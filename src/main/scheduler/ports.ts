import type { PressureLevel } from '../../shared/contract.ts';
import type { RoundhouseError } from '../../shared/errors.ts';
import type { SystemMemory } from '../memory/system-memory.ts';

/*
 * The scheduler's whole surface: events in, effects out. Nothing in it waits, so one event is one atomic step.
 * All times are monotonic milliseconds.
 */

/** Which idle models go first: those that are cheapest to lose, or those that were not used for longest. */
export type EvictionPolicy = 'cost-aware' | 'lru';

export interface SchedulerSettings {
  readonly budgetBytes: number;
  readonly eviction: EvictionPolicy;
  readonly maxLoadedModels: number;
  readonly maxQueue: number;
  readonly maxWaitMs: number;
  /** A model that became ready less than this ago is not evicted. */
  readonly minResidencyMs: number;
  readonly standbyEngines: number;
  /** What one empty engine process holds. */
  readonly standbyBytes: number;
}

export interface ModelSpec {
  readonly id: string;
  readonly slots: number;
  readonly pinned: boolean;
  /** `null` = never. */
  readonly idleUnloadMs: number | null;
  /** Changes when the model would take other memory: file or engine settings. Estimates are forgotten then. */
  readonly memoryKey: string;
}

/** What would have to change of a model's settings to make it fit the budget by itself. */
export interface LighterSettings {
  readonly contextSize?: number;
  readonly batchSize?: number;
  readonly cacheType?: string;
  /** What would be reserved for it then. */
  readonly bytes: number;
}

export type SchedulerEvent =
  | {
      readonly type: 'configChanged';
      readonly settings: SchedulerSettings;
      readonly models: readonly ModelSpec[];
    }
  /** A request wants a slot of a model. Answered by `grant` or `reject`. */
  | { readonly type: 'requested'; readonly requestId: number; readonly modelId: string }
  /** Its client left: it is forgotten where it waits, and given back where it was granted. */
  | { readonly type: 'cancelled'; readonly requestId: number }
  | { readonly type: 'released'; readonly requestId: number }
  /** Somebody wants a model resident, or gone. Answered by `done` or `reject`. */
  | { readonly type: 'loadAsked'; readonly requestId: number; readonly modelId: string }
  /** As `loadAsked`, before anybody needs it: not while memory is pressed. */
  | { readonly type: 'preloadAsked'; readonly requestId: number; readonly modelId: string }
  | { readonly type: 'unloadAsked'; readonly requestId: number; readonly modelId: string }
  /** `learned`: corrected by what this model was measured to take on this machine. */
  | {
      readonly type: 'estimated';
      readonly modelId: string;
      readonly bytes: number;
      readonly learned: boolean;
      /** For one that does not fit the budget; left out where nothing would make it. */
      readonly lighter?: LighterSettings;
    }
  | { readonly type: 'estimateFailed'; readonly modelId: string; readonly error: RoundhouseError }
  | { readonly type: 'progress'; readonly modelId: string; readonly progress: number }
  | { readonly type: 'loaded'; readonly modelId: string }
  /** The load did not work and its process is gone. With `insufficient_memory` it is tried once more. */
  | { readonly type: 'loadFailed'; readonly modelId: string; readonly error: RoundhouseError }
  | {
      readonly type: 'measured';
      readonly modelId: string;
      readonly bytes: number;
      /** What losing its prefix caches would cost now; left out, what was said last holds. */
      readonly prefixRebuildMs?: number;
    }
  /** The process has ended, or (`kept`) was measured empty and is a standby now: its memory is back. */
  | {
      readonly type: 'exited';
      readonly modelId: string;
      readonly kept: boolean;
      readonly reason: string | null;
    }
  | { readonly type: 'standbyExited' }
  /** How hard pressed the system says it is for memory, read every few seconds. */
  | { readonly type: 'pressure'; readonly level: PressureLevel }
  /** What the system has, read before each load and while somebody waits; `null` where it cannot say. */
  | { readonly type: 'machine'; readonly system: SystemMemory | null }
  | { readonly type: 'tick' };

export type Effect =
  | { readonly type: 'estimate'; readonly modelId: string }
  /** In a standby process, where one is there. */
  | { readonly type: 'load'; readonly modelId: string; readonly useStandby: boolean }
  /** `keep` = the process may be kept as a standby if it comes out empty. */
  | { readonly type: 'stop'; readonly modelId: string; readonly keep: boolean }
  | { readonly type: 'startStandby' }
  | { readonly type: 'stopStandby' }
  | { readonly type: 'grant'; readonly requestId: number; readonly modelId: string }
  | { readonly type: 'done'; readonly requestId: number }
  | { readonly type: 'reject'; readonly requestId: number; readonly error: RoundhouseError }
  /** `modelId` is `null` for what concerns no single model. */
  | { readonly type: 'explain'; readonly modelId: string | null; readonly text: string };
