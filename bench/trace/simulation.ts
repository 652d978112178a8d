import type { Effect, SchedulerEvent } from '../../src/main/scheduler/ports.ts';
import { MODELS } from './models.ts';
import type { Arrival } from './workload.ts';

/*
 * A world of simulated time around a scheduler: requests arrive, engines load, serve and stop in the time that they are
 * said to take, and the scheduler's effects are carried out as the app would.
 */

export interface SimulatedScheduler {
  handle(event: SchedulerEvent, nowMs: number): Effect[];
  nextDeadlineMs(): number | null;
}

export interface EngineTimes {
  readonly bytesPerS: number;
  readonly constantMs: number;
  readonly stopMs: number;
}

export interface Outcome {
  readonly loads: number;
  readonly loadedBytes: number;
  /** Of each request, in the order in which they arrived. */
  readonly waitsMs: readonly number[];
  /** The most bytes of engines that were there at once. */
  readonly peakBytes: number;
}

/** Milliseconds from when it is asked for to when it is there. */
export function loadMs(bytes: number, { bytesPerS, constantMs }: EngineTimes): number {
  return constantMs + (bytes / bytesPerS) * 1000;
}

interface Timed {
  readonly atMs: number;
  readonly event: SchedulerEvent;
}

export function simulate(
  scheduler: SimulatedScheduler,
  arrivals: readonly Arrival[],
  times: EngineTimes,
): Outcome {
  const bytesOf = new Map(MODELS.map(({ id, bytes }) => [id, bytes]));
  const waitsMs: number[] = arrivals.map(() => Number.NaN);
  const due: Timed[] = [];
  let next = 0;
  let nowMs = 0;
  let loads = 0;
  let loadedBytes = 0;
  let heldBytes = 0;
  let peakBytes = 0;

  const later = (ms: number, event: SchedulerEvent) => {
    const atMs = nowMs + ms;
    let index = due.length;
    while (index > 0 && (due[index - 1]?.atMs ?? 0) <= atMs) index--;
    due.splice(index, 0, { atMs, event });
  };

  const carryOut = (effect: Effect) => {
    switch (effect.type) {
      case 'estimate':
        return later(0, {
          type: 'estimated',
          modelId: effect.modelId,
          bytes: sizeOf(effect.modelId),
          learned: true,
        });
      case 'load': {
        const bytes = sizeOf(effect.modelId);
        loads++;
        loadedBytes += bytes;
        heldBytes += bytes;
        peakBytes = Math.max(peakBytes, heldBytes);
        return later(loadMs(bytes, times), { type: 'loaded', modelId: effect.modelId });
      }
      case 'stop':
        return later(times.stopMs, { type: 'exited', modelId: effect.modelId, kept: false, reason: null });
      case 'grant': {
        const arrival = arrivals[effect.requestId];
        if (!arrival) throw new Error(`granted ${effect.requestId}, which nobody asked`);
        waitsMs[effect.requestId] = nowMs - arrival.atMs;
        return later(arrival.serviceMs, { type: 'released', requestId: effect.requestId });
      }
      case 'reject':
        throw effect.error;
      default:
    }
  };

  const sizeOf = (modelId: string): number => {
    const bytes = bytesOf.get(modelId);
    if (bytes === undefined) throw new Error(`no model ${modelId}`);
    return bytes;
  };

  const take = (event: SchedulerEvent) => {
    if (event.type === 'exited') heldBytes -= sizeOf(event.modelId);
    for (const effect of scheduler.handle(event, nowMs)) carryOut(effect);
    if (event.type === 'loaded') {
      take({ type: 'measured', modelId: event.modelId, bytes: sizeOf(event.modelId) });
    }
  };

  for (;;) {
    const arrival = arrivals[next];
    const event = due.at(-1);
    const deadlineMs = scheduler.nextDeadlineMs() ?? Number.POSITIVE_INFINITY;
    const atMs = Math.min(arrival?.atMs ?? Number.POSITIVE_INFINITY, event?.atMs ?? Number.POSITIVE_INFINITY);
    if (deadlineMs < atMs) {
      nowMs = deadlineMs;
      take({ type: 'tick' });
    } else if (event && event.atMs === atMs) {
      nowMs = atMs;
      due.pop();
      take(event.event);
    } else if (arrival) {
      nowMs = atMs;
      take({ type: 'requested', requestId: next++, modelId: arrival.model.id });
    } else {
      break;
    }
  }
  if (waitsMs.some(Number.isNaN)) throw new Error('somebody was never served');
  return { loads, loadedBytes, waitsMs, peakBytes };
}
