import type { Clock } from '../../shared/clock.ts';

/** The browser's own time: the one place in the page that asks it. */
export const browserClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};
