import { assertNever } from '../../shared/assert-never.ts';
import type { EvictionPolicy } from './ports.ts';
import type { ModelEntryView, Room, SchedulerView } from './view.ts';

/** A model that may go, and what that gives and costs. */
export interface Candidate {
  readonly id: string;
  readonly bytes: number;
  readonly lossMs: number;
}

export interface VictimSet {
  readonly ids: readonly string[];
  readonly lossMs: number;
}

/** The search gives up improving what it found after so many steps: deciding has to stay quick. */
const MAX_STEPS = 2000;

/** Those that should go first come first. */
export function inOrderOfLoss(models: readonly ModelEntryView[], view: SchedulerView): Candidate[] {
  const oldestFirst = models.toSorted((a, b) => a.lastUsedMs - b.lastUsedMs);
  const candidates = oldestFirst.map((model) => ({
    id: model.id,
    bytes: model.lineBytes,
    lossMs: view.lossMs(model),
  }));
  switch (view.eviction) {
    case 'lru':
      return candidates;
    case 'cost-aware':
      return candidates.sort((a, b) => a.lossMs * b.bytes - b.lossMs * a.bytes);
    default:
      return assertNever(view.eviction);
  }
}

/**
 * Which of the candidates go to make the room; none that is not needed.
 * @param candidates as `inOrderOfLoss` gives them
 * @returns `null` when all of them together would not do
 */
export function chooseVictims(
  candidates: readonly Candidate[],
  room: Room,
  eviction: EvictionPolicy,
): VictimSet | null {
  let bytes = 0;
  for (const candidate of candidates) bytes += candidate.bytes;
  if (bytes < room.bytes || candidates.length < room.models) return null;
  const chosen = eviction === 'lru' ? firstThatDo(candidates, room) : cheapestThatDo(candidates, room);
  const needed = withoutNeedless(chosen, room);
  return { ids: needed.map(({ id }) => id), lossMs: needed.reduce((sum, { lossMs }) => sum + lossMs, 0) };
}

function firstThatDo(candidates: readonly Candidate[], room: Room): readonly Candidate[] {
  let count = 0;
  for (let bytes = 0; bytes < room.bytes || count < room.models; count++)
    bytes += candidates[count]?.bytes ?? 0;
  return candidates.slice(0, count);
}

/**
 * The set of the least loss: depth first along the order of loss per byte, leaving every branch that even with the
 * cheapest of the bytes that are still to come would not be better than the best set so far.
 */
function cheapestThatDo(candidates: readonly Candidate[], room: Room): readonly Candidate[] {
  const bytesFrom = new Float64Array(candidates.length + 1);
  const leastLossFrom = new Float64Array(candidates.length + 1).fill(Number.POSITIVE_INFINITY);
  for (let index = candidates.length - 1; index >= 0; index--) {
    bytesFrom[index] = (bytesFrom[index + 1] ?? 0) + (candidates[index]?.bytes ?? 0);
    leastLossFrom[index] = Math.min(leastLossFrom[index + 1] ?? 0, candidates[index]?.lossMs ?? 0);
  }
  const chosen: Candidate[] = [];
  let best: readonly Candidate[] = candidates;
  let bestMs = Number.POSITIVE_INFINITY;
  let steps = 0;

  const visit = (index: number, bytes: number, lossMs: number): void => {
    const lackingBytes = room.bytes - bytes;
    const lackingModels = room.models - chosen.length;
    if (lackingBytes <= 0 && lackingModels <= 0) {
      if (lossMs >= bestMs) return;
      best = [...chosen];
      bestMs = lossMs;
      return;
    }
    const candidate = candidates[index];
    if (!candidate || steps++ >= MAX_STEPS) return;
    if ((bytesFrom[index] ?? 0) < lackingBytes || candidates.length - index < lackingModels) return;
    const atLeastMs = Math.max(
      (Math.max(0, lackingBytes) / candidate.bytes) * candidate.lossMs,
      Math.max(0, lackingModels) * (leastLossFrom[index] ?? 0),
    );
    if (lossMs + atLeastMs >= bestMs) return;
    chosen.push(candidate);
    visit(index + 1, bytes + candidate.bytes, lossMs + candidate.lossMs);
    chosen.pop();
    visit(index + 1, bytes, lossMs);
  };
  visit(0, 0, 0);
  return best;
}

/** The last one chosen may be so large that others can stay; those that are dearest to lose stay first. */
function withoutNeedless(chosen: readonly Candidate[], room: Room): readonly Candidate[] {
  let spareBytes = chosen.reduce((sum, { bytes }) => sum + bytes, 0) - room.bytes;
  let spareModels = chosen.length - room.models;
  const needed: Candidate[] = [];
  for (const candidate of chosen.toReversed()) {
    if (candidate.bytes <= spareBytes && spareModels > 0) {
      spareBytes -= candidate.bytes;
      spareModels--;
    } else {
      needed.push(candidate);
    }
  }
  return needed.reverse();
}
