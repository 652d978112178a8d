import type { ModelEntryView } from './view.ts';

/*
 * Taking turns. Models that are there go on being served while others wait for memory, but not for ever: who has waited
 * for the bound is due. From then on, nobody who comes later is served before it by a model that stands in its way.
 */

const MIN_BOUND_MS = 10_000;
const BOUND_LOADS = 2;
/** For its own load and for those of the models that have to make way for it, a turn should be worth its while. */
const TURN_LOADS = 12;
const MAX_TURN_MS = 45_000;

/**
 * How pressing a model's need is:
 * - `patient`: it may wait a moment for a busy model rather than push out one that is dear;
 * - `waiting`: it takes the room of idle models;
 * - `held`: it takes what is free, and pushes nobody out while another's turn is being prepared;
 * - `due`: busy models have to make way, once they have served who came before `sinceMs`.
 */
export type Urgency =
  | { readonly kind: 'patient' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'held' }
  | { readonly kind: 'due'; readonly sinceMs: number };

export const WAITING: Urgency = { kind: 'waiting' };

/** What is waited for at most before a turn is due, in milliseconds. */
export function waitBoundMs(meanLoadMs: number): number {
  return Math.max(MIN_BOUND_MS, BOUND_LOADS * meanLoadMs);
}

/** How long a model that was loaded may go on while it has work, though another is due. */
export function turnMs(loadMs: number): number {
  return Math.min(MAX_TURN_MS, TURN_LOADS * loadMs);
}

/** @param waitsSinceMs when its first request came, or when the model last made way, if that was later */
export function urgencyOf(waitsSinceMs: number, boundMs: number, nowMs: number): Urgency {
  const dueMs = waitsSinceMs + boundMs;
  if (nowMs >= dueMs) return { kind: 'due', sinceMs: dueMs };
  return { kind: nowMs < patientUntilMs(waitsSinceMs, boundMs) ? 'patient' : 'waiting' };
}

/** As `urgencyOf`, for those who wait behind one whose turn it is. A turn that takes too long holds nobody for ever. */
export function urgencyBehind(waitsSinceMs: number, nowMs: number): Urgency {
  return nowMs < heldUntilMs(waitsSinceMs) ? { kind: 'held' } : WAITING;
}

export function heldUntilMs(waitsSinceMs: number): number {
  return waitsSinceMs + MAX_TURN_MS;
}

export function patientUntilMs(waitsSinceMs: number, boundMs: number): number {
  return waitsSinceMs + boundMs / 2;
}

/** Somebody waits who came before the model was ready, or before the other was due: they are served first. */
export function owesService(model: ModelEntryView, readySinceMs: number, dueSinceMs: number): boolean {
  return model.oldestArrivalMs !== null && model.oldestArrivalMs <= Math.max(readySinceMs, dueSinceMs);
}
