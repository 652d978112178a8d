import { EventSourceParserStream } from 'eventsource-parser/stream';

/**
 * The data of each server-sent event in `body`; comments are left out. Leaving the loop early cancels the body.
 * Uses a reader: not every browser can loop over a ReadableStream.
 */
export async function* readEventData(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  let ended = false;
  try {
    for (;;) {
      const next = await reader.read();
      ended = next.done;
      if (next.done) return;
      yield next.value.data;
    }
  } finally {
    // A body that broke has already thrown; cancelling it again rejects with the same error.
    if (!ended) await reader.cancel().catch(() => undefined);
  }
}
