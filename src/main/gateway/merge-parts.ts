import type { StreamPart } from '../../shared/generation.ts';

/** A part and the choice it belongs to. */
export interface IndexedPart {
  readonly index: number;
  readonly part: StreamPart;
}

type Arrival =
  | { readonly index: number; readonly result: IteratorResult<StreamPart> }
  | { readonly index: number; readonly error: unknown };

/**
 * Runs `count` streams, at most `parallel` at once, and gives their parts as they come. Each stream is asked for its
 * next part only after the last one was taken, so a slow consumer slows them all. Ends early, without waiting for
 * any stream, when `signal` fires; leaving the loop early ends the streams.
 */
export async function* mergeParts(
  count: number,
  parallel: number,
  start: (index: number) => AsyncIterable<StreamPart>,
  signal: AbortSignal,
): AsyncGenerator<IndexedPart> {
  const running = new Map<number, AsyncIterator<StreamPart>>();
  const arrivals: Arrival[] = [];
  let started = 0;
  let wake = (): void => {};

  const arrive = (arrival: Arrival): void => {
    arrivals.push(arrival);
    wake();
  };
  const pull = (index: number, stream: AsyncIterator<StreamPart>): void => {
    stream.next().then(
      (result) => arrive({ index, result }),
      (error: unknown) => arrive({ index, error }),
    );
  };
  const startMore = (): void => {
    while (started < count && running.size < parallel) {
      const index = started++;
      const stream = start(index)[Symbol.asyncIterator]();
      running.set(index, stream);
      pull(index, stream);
    }
  };
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);

  try {
    startMore();
    while (running.size > 0 && !signal.aborted) {
      const arrival = arrivals.shift();
      if (arrival === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      if ('error' in arrival) throw arrival.error;
      const stream = running.get(arrival.index);
      if (stream === undefined) continue;
      if (arrival.result.done) {
        running.delete(arrival.index);
        startMore();
        continue;
      }
      yield { index: arrival.index, part: arrival.result.value };
      pull(arrival.index, stream);
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Not awaited: a stream that is waiting for its next part answers only when that comes.
    for (const stream of running.values()) stream.return?.().catch(() => {});
  }
}
