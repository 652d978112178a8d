import type { Clock } from '../../shared/clock.ts';

/** Wall time in whole steps for what shows "9 s ago" or "in 6 m": one timer for the page, none while nobody looks. */
export interface Ticker {
  subscribe(onTick: () => void): () => void;
  /** Wall time of the last tick, milliseconds since 1970. */
  nowMs(): number;
}

const TICK_MS = 1_000;

export function createTicker(clock: Clock): Ticker {
  const listeners = new Set<() => void>();
  let timer: Disposable | null = null;
  let nowMs = clock.nowMs();

  const tick = () => {
    nowMs = clock.nowMs();
    for (const listener of listeners) listener();
  };

  return {
    subscribe(onTick) {
      if (listeners.size === 0) nowMs = clock.nowMs();
      listeners.add(onTick);
      timer ??= clock.every(TICK_MS, tick);
      return () => {
        listeners.delete(onTick);
        if (listeners.size > 0) return;
        timer?.[Symbol.dispose]();
        timer = null;
      };
    },
    nowMs: () => nowMs,
  };
}
