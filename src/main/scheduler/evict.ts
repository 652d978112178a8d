import { owesService, turnMs } from './turns.ts';
import type { ModelEntryView, SchedulerView } from './view.ts';

/** Idle, and allowed to go. Busy, pinned, loading, waited-for and just-loaded models are never victims. */
export function isVictim(model: ModelEntryView, view: SchedulerView): boolean {
  return isReplaceable(model) && isSettled(model, view) && model.activeLeases === 0 && model.waiters === 0;
}

/** May be told to finish its work and go, for a model that is due since `dueSinceMs`. */
export function isDrainable(model: ModelEntryView, view: SchedulerView, dueSinceMs: number): boolean {
  const { state } = model;
  if (state.status !== 'ready' || !isReplaceable(model) || !isSettled(model, view)) return false;
  if (owesService(model, state.sinceMs, dueSinceMs)) return false;
  return model.activeLeases === 0 || view.nowMs - state.sinceMs >= turnMs(view.loadMs(model));
}

/** May be pushed out, if not now then when its work is done. */
export function isReplaceable(model: ModelEntryView): boolean {
  return model.state.status === 'ready' && !model.pinned;
}

function isSettled({ state }: ModelEntryView, view: SchedulerView): boolean {
  return state.status === 'ready' && view.nowMs - state.sinceMs >= view.minResidencyMs;
}
