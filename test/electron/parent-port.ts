import { EventEmitter } from 'node:events';

/*
 * Loaded before an engine child: gives a forked Node process the `process.parentPort` of an Electron utility process
 * and takes `process.send` away, so that the child goes the way it goes under Electron.
 */
const send = process.send?.bind(process);

class ParentPort extends EventEmitter {
  postMessage(message: unknown): void {
    send?.(message);
  }
}
const port = new ParentPort();
const early: unknown[] = [];

// Messages wait for the first listener, as a port's do.
process.on('message', (message) => {
  if (port.listenerCount('message') === 0) early.push(message);
  else port.emit('message', { data: message, ports: [] });
});
port.on('newListener', (event, listener: (message: unknown) => void) => {
  if (event === 'message') for (const message of early.splice(0)) listener({ data: message, ports: [] });
});
// Electron ends a utility process whose main process is gone.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

Object.defineProperty(process, 'parentPort', { value: port });
Object.defineProperty(process, 'send', { value: undefined });
