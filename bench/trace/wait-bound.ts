import { turnMs, waitBoundMs } from '../../src/main/scheduler/turns.ts';
import { MODELS, type SimulatedModel } from './models.ts';
import { type EngineTimes, loadMs, type Outcome } from './simulation.ts';
import type { Arrival } from './workload.ts';

/**
 * How long each request that was due may wait (others have no bound that could be broken): until it is due, and from then on for what was there before that moment and has to
 * finish, one after the other: the rest of each request's work and, for each model with such requests, a load, a stop
 * and the turn that a load pays for. Requests that came later are not part of it: if they were let in again and again,
 * waits would exceed it.
 */
export function boundsMs(
  arrivals: readonly Arrival[],
  { waitsMs }: Outcome,
  times: EngineTimes,
  minResidencyMs: number,
): readonly number[] {
  const dueAfterMs = waitBoundMs(Math.max(...MODELS.map((model) => loadMs(model.bytes, times))));
  const grantedMs = arrivals.map(({ atMs }, index) => atMs + (waitsMs[index] ?? 0));
  const finishedMs = arrivals.map(({ serviceMs }, index) => (grantedMs[index] ?? 0) + serviceMs);
  const longestStayMs = arrivals.reduce(
    (longest, { atMs }, index) => Math.max(longest, (finishedMs[index] ?? 0) - atMs),
    0,
  );
  const turnOfMs = ({ bytes }: SimulatedModel) =>
    loadMs(bytes, times) + times.stopMs + Math.max(minResidencyMs, turnMs(loadMs(bytes, times)));

  return arrivals.map((arrival, index) => {
    if ((waitsMs[index] ?? 0) <= dueAfterMs) return Number.POSITIVE_INFINITY;
    const dueMs = arrival.atMs + dueAfterMs;
    const models = new Set([arrival.model]);
    let workMs = 0;
    for (let other = firstAfter(arrivals, dueMs) - 1; other >= 0; other--) {
      const { atMs, model, serviceMs } = arrivals[other] ?? arrival;
      if (atMs < dueMs - longestStayMs) break;
      const finishMs = finishedMs[other] ?? 0;
      if (other === index || finishMs <= dueMs) continue;
      workMs += Math.min(serviceMs, finishMs - dueMs);
      models.add(model);
    }
    return dueAfterMs + workMs + [...models].reduce((sum, model) => sum + turnOfMs(model), 0);
  });
}

/** Index of the first that came after the time; they are in order. */
function firstAfter(arrivals: readonly Arrival[], timeMs: number): number {
  let [low, high] = [0, arrivals.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((arrivals[middle]?.atMs ?? 0) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
