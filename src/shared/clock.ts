/** Time as the app sees it. Everything that needs a clock or a timer takes one of these. */
export interface Clock {
  /** Wall time, milliseconds since 1970: for people and for rows, never for measuring. */
  nowMs(): number;
  /** Monotonic time in milliseconds, from an arbitrary start: for waits, timeouts and durations. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`; disposing the handle before that cancels it. */
  after(delayMs: number, run: () => void): Disposable;
  /** Calls `run` every `intervalMs` until the handle is disposed. */
  every(intervalMs: number, run: () => void): Disposable;
}
