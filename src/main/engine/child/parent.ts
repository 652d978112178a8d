import type { FromChild, ToChild } from '../protocol.ts';

/** The way back to the app, from a forked Node process and from an Electron utility process alike. */
export interface ParentPort<Incoming = ToChild, Outgoing = FromChild> {
  send(message: Outgoing): void;
  onMessage(listener: (message: Incoming) => void): void;
}

/** What Electron puts on `process` in a utility process. Source: Electron, `process.parentPort`. */
interface UtilityProcess {
  readonly parentPort?: {
    postMessage(message: unknown): void;
    on(event: 'message', listener: (event: { data: unknown }) => void): void;
  };
}

/** Also sees to it that this process ends when its parent does, however that ended. */
export function connectParent<Incoming = ToChild, Outgoing = FromChild>(): ParentPort<Incoming, Outgoing> {
  // `parentPort` is Electron's addition: Node's types do not have it.
  const { parentPort } = process as unknown as UtilityProcess;
  if (parentPort) {
    return {
      send: (message) => parentPort.postMessage(message),
      onMessage: (listener) => parentPort.on('message', (event) => listener(event.data as Incoming)),
    };
  }
  if (!process.send) {
    process.stderr.write('This program is an engine of Roundhouse: it is started by the app.\n');
    process.exit(2);
  }
  // SIGKILL, because a native thread may hold up an orderly exit, and there is nothing to tidy.
  const end = () => process.kill(process.pid, 'SIGKILL');
  process.on('disconnect', end);
  // It may have gone while this program was still being read, before anybody listened.
  if (!process.connected) end();
  return {
    send: (message) => {
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => process.on('message', (message) => listener(message as Incoming)),
  };
}
