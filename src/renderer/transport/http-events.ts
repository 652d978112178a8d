import type { Clock } from '../../shared/clock.ts';
import type { AppEvent } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { errorOfResponse, unreachable } from './http-error.ts';
import { readEventData } from './sse.ts';
import type { Connection } from './transport.ts';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

export interface EventsOptions {
  readonly baseUrl: string;
  readonly token: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly onEvent: (event: AppEvent) => void;
  readonly onConnection: (connection: Connection) => void;
}

/**
 * Follows `GET /admin/events` until disposed. Each connection begins with a snapshot, so a broken one loses nothing.
 * Not an EventSource, which cannot send the Authorization header.
 */
export function followEvents(options: EventsOptions): Disposable {
  const stopped = new AbortController();
  void follow(options, stopped.signal);
  return { [Symbol.dispose]: () => stopped.abort() };
}

async function follow(options: EventsOptions, stopped: AbortSignal): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  options.onConnection({ status: 'connecting' });
  while (!stopped.aborted) {
    let reason = 'The app closed the connection.';
    try {
      for await (const event of connect(options, stopped)) {
        // The first event, not the response's headers, shows that the app is really there.
        if (event.type === 'snapshot') {
          retryMs = FIRST_RETRY_MS;
          options.onConnection({ status: 'connected' });
        }
        options.onEvent(event);
      }
    } catch (error) {
      const known = error instanceof RoundhouseError ? error : unreachable(error);
      if (stopped.aborted) return;
      if (known.code === 'invalid_api_key' || known.code === 'host_not_allowed') {
        options.onConnection({ status: 'refused', reason: known.message });
        return;
      }
      reason = known.message;
    }
    if (stopped.aborted) return;
    options.onConnection({ status: 'reconnecting', reason });
    await pause(options.clock, retryMs, stopped);
    retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
  }
}

async function* connect(options: EventsOptions, stopped: AbortSignal): AsyncGenerator<AppEvent> {
  const response = await options.fetch(`${options.baseUrl}/admin/events`, {
    headers: { authorization: `Bearer ${options.token}`, accept: 'text/event-stream' },
    cache: 'no-store',
    signal: stopped,
  });
  if (!response.ok) throw await errorOfResponse(response);
  if (response.body === null) return;
  for await (const data of readEventData(response.body)) {
    // The app on the other side is built from the same contract; its events are not checked a second time.
    yield JSON.parse(data) as AppEvent;
  }
}

/** Resolves after `delayMs`, or at once when `stopped` fires. */
function pause(clock: Clock, delayMs: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      timer[Symbol.dispose]();
      stopped.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.after(delayMs, finish);
    stopped.addEventListener('abort', finish);
  });
}
