import type { ModelEntryView, Room, SchedulerView } from './view.ts';

/** Idle, and allowed to go. Busy, pinned, loading, waited-for and just-loaded models are never victims. */
export function isVictim(model: ModelEntryView, view: SchedulerView): boolean {
  return isDrainable(model, view) && model.activeLeases === 0 && model.waiters === 0;
}

/** May be told to finish its work and go, for a model that has waited too long. */
export function isDrainable(model: ModelEntryView, view: SchedulerView): boolean {
  return (
    model.state.status === 'ready' && !model.pinned && view.nowMs - model.state.sinceMs >= view.minResidencyMs
  );
}

/**
 * The least recently used of `candidates` that together make `room`; none that is not needed.
 * @returns ids, or `null` when all of them together would not do
 */
export function chooseVictims(candidates: readonly ModelEntryView[], room: Room): string[] | null {
  const oldestFirst = candidates.toSorted((a, b) => a.lastUsedMs - b.lastUsedMs);
  const chosen: ModelEntryView[] = [];
  for (const model of oldestFirst) {
    if (makesRoom(chosen, room)) break;
    chosen.push(model);
  }
  if (!makesRoom(chosen, room)) return null;
  // The last one chosen may be so large that earlier ones can stay; the most recently used stay first.
  for (const model of chosen.toReversed()) {
    const others = chosen.filter((other) => other !== model);
    if (makesRoom(others, room)) chosen.splice(chosen.indexOf(model), 1);
  }
  return chosen.map((model) => model.id);
}

function makesRoom(models: readonly ModelEntryView[], room: Room): boolean {
  const bytes = models.reduce((sum, model) => sum + model.lineBytes, 0);
  return bytes >= room.bytes && models.length >= room.models;
}
