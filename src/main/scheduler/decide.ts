import { assertNever } from '../../shared/assert-never.ts';
import type { RoundhouseError } from '../../shared/errors.ts';
import { chooseVictims, isDrainable, isVictim } from './evict.ts';
import { refusal } from './explain.ts';
import { type ModelEntryView, type Room, type SchedulerView, takesPlace } from './view.ts';

/**
 * What to do for a request, or for the first that waits for a model:
 * - `serve`: a slot is free;
 * - `join`: the model is loading already;
 * - `queue`: wait for a slot, an estimate, memory that is coming back, or a victim;
 * - `load`: it fits now;
 * - `evict`: it fits once these have gone;
 * - `reject`: it can never fit.
 */
export type Decision =
  | { readonly type: 'serve' }
  | { readonly type: 'join' }
  | {
      readonly type: 'queue';
      readonly why: 'slot' | 'stopping' | 'estimate' | 'backoff' | 'memory' | 'victim';
    }
  | { readonly type: 'load' }
  | { readonly type: 'evict'; readonly victims: readonly string[] }
  | { readonly type: 'reject'; readonly error: RoundhouseError };

/**
 * Decides for one model. Pure: the same view gives the same decision.
 * @param overdue its oldest request has waited beyond the bound: then busy models may be told to finish and go
 */
export function decide(model: ModelEntryView, view: SchedulerView, overdue: boolean): Decision {
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
      return decideLoad(model, view, overdue);
    default:
      return assertNever(state);
  }
}

function decideLoad(model: ModelEntryView, view: SchedulerView, overdue: boolean): Decision {
  const { neededBytes } = model;
  if (neededBytes === null || !model.estimateIsFresh) return { type: 'queue', why: 'estimate' };
  if (neededBytes > view.budgetBytes)
    return { type: 'reject', error: refusal.tooLarge(model, neededBytes, view.budgetBytes) };
  if (view.nowMs < model.notBeforeMs) return { type: 'queue', why: 'backoff' };

  const models = [...view.models.values()];
  const free = view.freeBytes + view.standbyBytes - view.claimed.bytes;
  const places =
    view.maxLoadedModels - view.claimed.models - count(models, (other) => takesPlace(other.state));
  if (free >= neededBytes && places >= 1) return { type: 'load' };

  // Memory that is on its way back counts as room, so that nobody else is evicted for it.
  const comingBytes = sumLines(models.filter((other) => isLeaving(other)));
  const comingPlaces = count(models, (other) => other.state.status === 'draining');
  const lacking: Room = {
    bytes: Math.max(0, neededBytes - free - comingBytes),
    models: Math.max(0, 1 - places - comingPlaces),
  };
  if (lacking.bytes === 0 && lacking.models === 0) return { type: 'queue', why: 'memory' };

  const idle = models.filter((other) => isVictim(other, view));
  const victims =
    chooseVictims(idle, lacking) ??
    (overdue
      ? chooseVictims(
          models.filter((other) => isDrainable(other, view)),
          lacking,
        )
      : null);
  return victims ? { type: 'evict', victims } : { type: 'queue', why: 'victim' };
}

function isLeaving(model: ModelEntryView): boolean {
  return model.state.status === 'stopping' || model.state.status === 'draining';
}

function sumLines(models: readonly ModelEntryView[]): number {
  return models.reduce((sum, model) => sum + model.lineBytes, 0);
}

function count<Item>(items: readonly Item[], test: (item: Item) => boolean): number {
  return items.reduce((sum, item) => sum + (test(item) ? 1 : 0), 0);
}
