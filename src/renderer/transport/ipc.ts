import type { RoundhouseBridge } from '../../shared/bridge.ts';
import type { CallInput, CallName, CallOutput, StreamInput, StreamName } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { StreamPart } from '../../shared/generation.ts';
import type { Transport } from './transport.ts';

/** Reaches the app through what the preload exposes. The main process lives as long as the window: no reconnecting. */
export function createIpcTransport(bridge: RoundhouseBridge): Transport {
  return {
    async call<Name extends CallName>(name: Name, input: CallInput<Name>): Promise<CallOutput<Name>> {
      const result = await bridge.call(name, input);
      if (!result.ok) throw RoundhouseError.fromJSON(result.error);
      return result.value;
    },

    stream: <Name extends StreamName>(name: Name, input: StreamInput<Name>, signal: AbortSignal) =>
      pull(bridge, name, input, signal),

    async locate(file, { signal }) {
      if (signal.aborted) throw new RoundhouseError('cancelled', `Looking for ${file.name} was cancelled.`);
      const path = bridge.pathForFile(file);
      if (path !== '') return path;
      throw new RoundhouseError(
        'gguf_invalid',
        `${file.name} does not lie on a disk of this machine. Save it to a folder first, then drop it from there.`,
      );
    },

    subscribe(onEvent, onConnection = () => undefined) {
      onConnection({ status: 'connecting' });
      const stop = bridge.subscribe((event) => {
        if (event.type === 'snapshot') onConnection({ status: 'connected' });
        onEvent(event);
      });
      return { [Symbol.dispose]: stop };
    },
  };
}

/** The bridge pushes parts, the page pulls them: what came early waits in `parts`. */
async function* pull<Name extends StreamName>(
  bridge: RoundhouseBridge,
  name: Name,
  input: StreamInput<Name>,
  signal: AbortSignal,
): AsyncGenerator<StreamPart> {
  if (signal.aborted) return;
  const parts: StreamPart[] = [];
  let ended = false;
  let wake: () => void = () => undefined;

  const source = bridge.stream(name, input, (part) => {
    parts.push(part);
    wake();
  });
  void source.done.then((end) => {
    if (!end.ok) parts.push({ type: 'error', error: end.error });
    ended = true;
    wake();
  });
  const stop = () => {
    source.cancel();
    wake();
  };
  signal.addEventListener('abort', stop, { once: true });

  try {
    for (;;) {
      if (signal.aborted) return;
      const part = parts.shift();
      if (part !== undefined) {
        yield part;
        continue;
      }
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', stop);
    if (!ended) source.cancel();
  }
}
