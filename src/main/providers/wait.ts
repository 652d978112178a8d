import type { Clock } from '../../shared/clock.ts';

/**
 * Resolves after `waitMs`; at once when that is nothing.
 * @throws the signal's reason
 */
export async function wait(clock: Clock, waitMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (waitMs <= 0) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  using _timer = clock.after(waitMs, resolve);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
