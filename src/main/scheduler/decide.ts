import { assertNever } from '../../shared/assert-never.ts';
import type { RoundhouseError } from '../../shared/errors.ts';
import { refusal } from './explain.ts';
import type { Situation } from './situation.ts';
import type { Urgency } from './turns.ts';
import { chooseVictims } from './victims.ts';
import type { ModelEntryView, Room } from './view.ts';

/** How many times dearer than the cheapest an idle victim has to be for waiting a moment to be worth it. */
const DEAR = 2;

/**
 * What to do for a request, or for the first that waits for a model:
 * - `serve`: a slot is free;
 * - `join`: the model is loading already;
 * - `queue`: wait for a slot, an estimate, memory that is coming back or held by pinned models or by other programs, or
 *   a victim;
 * - `load`: it fits now;
 * - `evict`: it fits once these have gone;
 * - `reject`: it can never fit.
 */
export type Decision =
  | { readonly type: 'serve' }
  | { readonly type: 'join' }
  | {
      readonly type: 'queue';
      readonly why: 'slot' | 'stopping' | 'estimate' | 'backoff' | 'pinned' | 'system' | 'memory' | 'victim';
    }
  | { readonly type: 'load' }
  | { readonly type: 'evict'; readonly victims: readonly string[] }
  | { readonly type: 'reject'; readonly error: RoundhouseError };

/**
 * Decides for one model. Pure: the same situation gives the same decision.
 * @param claimed promised to models whose turn is before: not to be taken by this one
 * @param urgency how pressing the need of its first request is
 */
export function decide(
  model: ModelEntryView,
  situation: Situation,
  claimed: Room,
  urgency: Urgency,
): Decision {
  const { state } = model;
  switch (state.status) {
    case 'ready':
      return model.activeLeases < model.slots ? { type: 'serve' } : { type: 'queue', why: 'slot' };
    case 'loading':
      return { type: 'join' };
    case 'draining':
    case 'stopping':
      return { type: 'queue', why: 'stopping' };
    case 'unloaded':
    case 'failed':
      return decideLoad(model, situation, claimed, urgency);
    default:
      return assertNever(state);
  }
}

function decideLoad(model: ModelEntryView, situation: Situation, claimed: Room, urgency: Urgency): Decision {
  const { neededBytes } = model;
  const { view, free, coming, pinned } = situation;
  if (neededBytes === null || !model.estimateIsFresh) return { type: 'queue', why: 'estimate' };
  if (neededBytes > view.budgetBytes)
    return { type: 'reject', error: refusal.tooLarge(model, neededBytes, view.budgetBytes) };
  if (view.nowMs < model.notBeforeMs) return { type: 'queue', why: 'backoff' };

  if (neededBytes > view.budgetBytes - pinned.bytes || pinned.models >= view.maxLoadedModels)
    return { type: 'queue', why: 'pinned' };
  // Whoever of ours went, other programs would still hold too much.
  if (neededBytes > view.limitBytes - pinned.bytes) return { type: 'queue', why: 'system' };
  if (model.ranOutOfMemory && situation.idle.length > 0)
    return { type: 'evict', victims: situation.idle.map(({ id }) => id) };
  if (model.ranOutOfMemory && situation.isStopping) return { type: 'queue', why: 'memory' };

  // Memory that is on its way back counts as room: nobody else is evicted for it, and others are promised it.
  const lacking: Room = {
    bytes: Math.max(0, neededBytes + claimed.bytes - free.bytes - coming.bytes),
    models: Math.max(0, 1 + claimed.models - free.models - coming.models),
  };
  if (lacking.bytes === 0 && lacking.models === 0) {
    const fitsNow = neededBytes <= free.bytes && free.models >= 1;
    return fitsNow ? { type: 'load' } : { type: 'queue', why: 'memory' };
  }
  const victims = victimsFor(situation, lacking, urgency);
  return victims ? { type: 'evict', victims } : { type: 'queue', why: 'victim' };
}

/** `null` = there are none, or they are too dear for now. */
function victimsFor(situation: Situation, lacking: Room, urgency: Urgency): readonly string[] | null {
  const { eviction } = situation.view;
  const idle = chooseVictims(situation.idle, lacking, eviction);
  switch (urgency.kind) {
    case 'patient': {
      if (!idle || eviction === 'lru') return idle?.ids ?? null;
      const cheapest = chooseVictims(situation.replaceable, lacking, eviction);
      return cheapest && idle.lossMs > DEAR * cheapest.lossMs ? null : idle.ids;
    }
    case 'waiting':
      return idle?.ids ?? null;
    case 'held':
      return null;
    case 'due':
      return (idle ?? chooseVictims(situation.drainable(urgency.sinceMs), lacking, eviction))?.ids ?? null;
    default:
      return assertNever(urgency);
  }
}
