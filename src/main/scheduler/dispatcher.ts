import { assertNever } from '../../shared/assert-never.ts';
import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { Effect, SchedulerEvent } from './ports.ts';
import type { Scheduler } from './scheduler.ts';

/** What carries out the scheduler's effects. Each returns at once and reports by events. */
export interface EffectPort {
  estimate(modelId: string): void;
  load(modelId: string, useStandby: boolean): void;
  stop(modelId: string, keep: boolean): void;
  startStandby(): void;
  stopStandby(): void;
  explain(modelId: string | null, text: string): void;
}

/** One request's right to use a loaded engine. Disposing it twice is the same as once. */
export interface Lease extends Disposable {
  readonly modelId: string;
}

interface Pending {
  readonly modelId: string;
  readonly resolve: (lease: Lease) => void;
  readonly reject: (error: RoundhouseError) => void;
}

/**
 * Joins the scheduler, which knows no promises and no clock, to a world that has both: feeds it events one at a time,
 * carries out what it answers, and wakes it when something is due.
 */
export class Dispatcher {
  readonly #scheduler: Scheduler;
  readonly #clock: Clock;
  readonly #port: EffectPort;
  readonly #onSettled: () => void;
  readonly #pending = new Map<number, Pending>();
  readonly #inbox: SchedulerEvent[] = [];
  #lastRequestId = 0;
  #running = false;
  #closed = false;
  #alarm: Disposable | null = null;

  /** @param onSettled called after each event and its effects: what is shown may have changed */
  constructor(scheduler: Scheduler, clock: Clock, port: EffectPort, onSettled: () => void) {
    this.#scheduler = scheduler;
    this.#clock = clock;
    this.#port = port;
    this.#onSettled = onSettled;
  }

  /** An effect may bring about the next event; it is taken after the present one, never inside it. */
  dispatch(event: SchedulerEvent): void {
    if (this.#closed) return;
    this.#inbox.push(event);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#inbox.shift(); next; next = this.#inbox.shift()) {
        for (const effect of this.#scheduler.handle(next, this.#clock.monotonicMs())) this.#carryOut(effect);
      }
    } finally {
      // A bug in one event must not silence all that follow.
      this.#running = false;
    }
    this.#setAlarm();
    this.#onSettled();
  }

  /**
   * Waits for a slot of the model, which is loaded if need be.
   * @throws RoundhouseError with the scheduler's reason, or `cancelled` when `signal` fires
   */
  acquire(modelId: string, signal: AbortSignal): Promise<Lease> {
    return this.#ask('requested', modelId, signal);
  }

  /** Resolves when the model is resident. */
  async load(modelId: string, signal: AbortSignal): Promise<void> {
    await this.#ask('loadAsked', modelId, signal);
  }

  /** As `load`, for a model that nobody needs yet: not while memory is pressed. */
  async preload(modelId: string, signal: AbortSignal): Promise<void> {
    await this.#ask('preloadAsked', modelId, signal);
  }

  /** Resolves when the model's running requests have ended and its memory is back. */
  async unload(modelId: string): Promise<void> {
    await this.#ask('unloadAsked', modelId, null);
  }

  /**
   * Turns away everybody who waits and everybody who comes. No event is taken any more: the end of an engine would
   * otherwise start the next one.
   */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#inbox.length = 0;
    this.#alarm?.[Symbol.dispose]();
    this.#alarm = null;
    for (const pending of this.#pending.values()) pending.reject(shuttingDown());
    this.#pending.clear();
  }

  #ask(
    type: 'requested' | 'loadAsked' | 'preloadAsked' | 'unloadAsked',
    modelId: string,
    signal: AbortSignal | null,
  ): Promise<Lease> {
    const requestId = ++this.#lastRequestId;
    const { promise, resolve, reject } = Promise.withResolvers<Lease>();
    if (this.#closed || signal?.aborted) {
      reject(this.#closed ? shuttingDown() : cancelled());
      return promise;
    }
    const cancel = () => {
      this.#pending.delete(requestId);
      this.dispatch({ type: 'cancelled', requestId });
      reject(cancelled());
    };
    const settle =
      <Value>(end: (value: Value) => void) =>
      (value: Value) => {
        signal?.removeEventListener('abort', cancel);
        end(value);
      };
    signal?.addEventListener('abort', cancel, { once: true });
    this.#pending.set(requestId, { modelId, resolve: settle(resolve), reject: settle(reject) });
    this.dispatch({ type, requestId, modelId });
    return promise;
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'grant':
        return this.#settle(effect.requestId, ({ resolve, modelId }) =>
          resolve(this.#lease(effect.requestId, modelId)),
        );
      case 'done':
        return this.#settle(effect.requestId, ({ resolve, modelId }) =>
          resolve({ modelId, [Symbol.dispose]: () => {} }),
        );
      case 'reject':
        return this.#settle(effect.requestId, ({ reject }) => reject(effect.error));
      case 'estimate':
        return this.#port.estimate(effect.modelId);
      case 'load':
        return this.#port.load(effect.modelId, effect.useStandby);
      case 'stop':
        return this.#port.stop(effect.modelId, effect.keep);
      case 'startStandby':
        return this.#port.startStandby();
      case 'stopStandby':
        return this.#port.stopStandby();
      case 'explain':
        return this.#port.explain(effect.modelId, effect.text);
      default:
        return assertNever(effect);
    }
  }

  #settle(requestId: number, end: (pending: Pending) => void): void {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    if (pending) end(pending);
  }

  #lease(requestId: number, modelId: string): Lease {
    let held = true;
    return {
      modelId,
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.dispatch({ type: 'released', requestId });
      },
    };
  }

  #setAlarm(): void {
    if (this.#closed) return;
    this.#alarm?.[Symbol.dispose]();
    const atMs = this.#scheduler.nextDeadlineMs();
    this.#alarm =
      atMs === null
        ? null
        : this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () =>
            this.dispatch({ type: 'tick' }),
          );
  }
}

function shuttingDown(): RoundhouseError {
  return new RoundhouseError('shutting_down', 'Roundhouse is stopping; try again in a moment', {
    retryAfterMs: 2000,
  });
}

function cancelled(): RoundhouseError {
  return new RoundhouseError('cancelled', 'the request was cancelled');
}
