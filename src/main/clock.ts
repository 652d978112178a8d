import type { Clock } from '../shared/clock.ts';

/** Longest delay that a timer of Node's can be set to. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, MAX_DELAY_MS));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};
