import { assertNever } from '../../shared/assert-never.ts';
import type { PlanView } from '../../shared/contract.ts';
import { formatBytes, formatDuration } from '../../shared/units.ts';
import { type Decision, decide } from './decide.ts';
import { limitInWords } from './explain.ts';
import type { Situation } from './situation.ts';
import { WAITING } from './turns.ts';
import { type ModelEntryView, NO_ROOM, type SchedulerView } from './view.ts';

/** How long models took to load when they were last loaded. */
export type ReloadMs = (modelId: string) => number | null;

/**
 * What loading a model would do now, decided as a request for it would be, and changing nothing.
 * @param neededBytes what it would reserve; for a model that is not registered yet this is all that is known of it
 */
export function planLoad(
  model: ModelEntryView,
  neededBytes: number,
  situation: Situation,
  reloadMs: ReloadMs,
): PlanView {
  const { view } = situation;
  const decision = decide({ ...plain(model), neededBytes }, situation, NO_ROOM, WAITING);
  const freeBytes = Math.max(0, situation.free.bytes);
  const victims =
    decision.type === 'evict' ? decision.victims.flatMap((id) => view.models.get(id) ?? []) : [];
  return {
    outcome: outcomeOf(decision),
    neededBytes,
    freeBytes,
    budgetBytes: view.budgetBytes,
    victims: victims.map((victim) => ({
      id: victim.id,
      bytes: victim.lineBytes,
      idleMs: view.nowMs - victim.lastUsedMs,
      reloadMs: reloadMs(victim.id),
    })),
    text: sentence(decision, model.id, neededBytes, freeBytes, view, victims, reloadMs),
  };
}

/** A model as deciding sees it before it is registered. */
export function unregistered(id: string): ModelEntryView {
  return {
    id,
    state: { status: 'unloaded' },
    slots: 1,
    pinned: false,
    activeLeases: 0,
    waiters: 0,
    oldestArrivalMs: null,
    prefixRebuildMs: 0,
    neededBytes: null,
    lighter: null,
    estimateIsFresh: true,
    lineBytes: 0,
    lastUsedMs: 0,
    notBeforeMs: 0,
    ranOutOfMemory: false,
  };
}

/** Getters of a class are not copied by spreading it. The estimate was made for this plan. */
function plain(model: ModelEntryView): ModelEntryView {
  return {
    id: model.id,
    state: model.state,
    slots: model.slots,
    pinned: model.pinned,
    activeLeases: model.activeLeases,
    waiters: model.waiters,
    oldestArrivalMs: model.oldestArrivalMs,
    lineBytes: model.lineBytes,
    lastUsedMs: model.lastUsedMs,
    prefixRebuildMs: model.prefixRebuildMs,
    notBeforeMs: model.notBeforeMs,
    ranOutOfMemory: model.ranOutOfMemory,
    lighter: model.lighter,
    neededBytes: null,
    estimateIsFresh: true,
  };
}

function outcomeOf(decision: Decision): PlanView['outcome'] {
  switch (decision.type) {
    case 'serve':
    case 'join':
      return 'resident';
    case 'load':
      return 'fits';
    case 'evict':
      return 'evicts';
    case 'queue':
      return decision.why === 'slot' ? 'resident' : 'waits';
    case 'reject':
      return 'never';
    default:
      return assertNever(decision);
  }
}

function sentence(
  decision: Decision,
  id: string,
  neededBytes: number,
  freeBytes: number,
  view: SchedulerView,
  victims: readonly ModelEntryView[],
  reloadMs: ReloadMs,
): string {
  const numbers = `needs ${formatBytes(neededBytes)}, ${formatBytes(freeBytes)} free of ${limitInWords(view.limitBytes, view.budgetBytes)}`;
  switch (decision.type) {
    case 'serve':
    case 'join':
      return `${id} is loaded or loading already.`;
    case 'load':
      return `Fits: ${numbers}.`;
    case 'evict':
      return `Fits after unloading ${victims.map((victim) => described(victim, view, reloadMs)).join(' and ')}: ${numbers}, at most ${view.maxLoadedModels} loaded.`;
    case 'queue':
      if (decision.why === 'slot') return `${id} is loaded; its slots are busy.`;
      if (decision.why === 'pinned')
        return `Does not fit beside the pinned models: ${numbers}, at most ${view.maxLoadedModels} loaded.`;
      if (decision.why === 'system')
        return `Would have to wait until other programs give memory back: ${numbers}.`;
      return `Would have to wait until a busy or just-loaded model can go: ${numbers}, at most ${view.maxLoadedModels} loaded.`;
    case 'reject':
      return `Can never fit: ${formatBytes(neededBytes)} of a budget of ${formatBytes(view.budgetBytes)}.`;
    default:
      return assertNever(decision);
  }
}

function described(victim: ModelEntryView, view: SchedulerView, reloadMs: ReloadMs): string {
  const idle = `idle ${formatDuration(view.nowMs - victim.lastUsedMs)}`;
  const back = reloadMs(victim.id);
  return `${victim.id} (${formatBytes(victim.lineBytes)}, ${idle}${back === null ? '' : `, back in ${formatDuration(back)}`})`;
}
