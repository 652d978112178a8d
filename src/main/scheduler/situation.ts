import { isDrainable, isReplaceable, isVictim } from './evict.ts';
import { type Candidate, inOrderOfLoss } from './victims.ts';
import { type ModelEntryView, type Room, type SchedulerView, takesPlace } from './view.ts';

/**
 * What deciding needs to know of all models together. It is worked out once for all who wait, and holds until a model's
 * state changes.
 */
export class Situation {
  readonly view: SchedulerView;
  /** Not taken by a model that is loaded or being loaded. */
  readonly free: Room;
  /** Taken by loaded models that may not be pushed out. */
  readonly pinned: Room;
  /** On its way back. */
  readonly coming: Room;
  /** Whether an engine is on its way out. */
  readonly isStopping: boolean;
  #idle: readonly Candidate[] | null = null;
  #replaceable: readonly Candidate[] | null = null;

  constructor(view: SchedulerView) {
    let taken = 0;
    let pinnedBytes = 0;
    let pinnedModels = 0;
    let comingBytes = 0;
    let comingModels = 0;
    let isStopping = false;
    for (const { state, lineBytes, pinned } of view.models.values()) {
      if (takesPlace(state)) taken++;
      if (pinned && state.status === 'ready') {
        pinnedBytes += lineBytes;
        pinnedModels++;
      }
      if (state.status === 'draining') comingModels++;
      if (state.status === 'stopping') isStopping = true;
      if (state.status === 'draining' || state.status === 'stopping') comingBytes += lineBytes;
    }
    this.view = view;
    this.free = { bytes: view.freeBytes + view.standbyBytes, models: view.maxLoadedModels - taken };
    this.pinned = { bytes: pinnedBytes, models: pinnedModels };
    this.coming = { bytes: comingBytes, models: comingModels };
    this.isStopping = isStopping;
  }

  /** May go now. */
  get idle(): readonly Candidate[] {
    this.#idle ??= this.#candidates((model) => isVictim(model, this.view));
    return this.#idle;
  }

  /** May go, now or when they have nothing to do. */
  get replaceable(): readonly Candidate[] {
    this.#replaceable ??= this.#candidates(isReplaceable);
    return this.#replaceable;
  }

  /** May go, or be told to finish and go, for one that is due since `dueSinceMs`. */
  drainable(dueSinceMs: number): readonly Candidate[] {
    return this.#candidates((model) => isDrainable(model, this.view, dueSinceMs));
  }

  #candidates(test: (model: ModelEntryView) => boolean): readonly Candidate[] {
    return inOrderOfLoss([...this.view.models.values()].filter(test), this.view);
  }
}
