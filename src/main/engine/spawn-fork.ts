import { fork } from 'node:child_process';
import type { SpawnEngine } from './spawn.ts';
import { ENGINE_ARGUMENTS, engineEnvironment } from './spawn-settings.ts';

/**
 * Engines as children of a plain Node process.
 * @param modulePath the engine child's built entry
 * @param onStderr what a child writes to its error output, a line or more at a time
 */
export function spawnByFork(modulePath: string, onStderr: (text: string) => void): SpawnEngine {
  return () => {
    const child = fork(modulePath, [], {
      env: engineEnvironment(process.env),
      execArgv: [...ENGINE_ARGUMENTS],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'json',
    });
    child.stderr?.setEncoding('utf8').on('data', onStderr);
    // Without a listener a failed spawn or a write to a dead child would end the app; `exit` reports both.
    child.on('error', (error) => onStderr(`${error.message}\n`));
    let ended = false;
    child.once('exit', () => {
      ended = true;
    });
    return {
      pid: child.pid,
      send: (message) => {
        if (child.connected) child.send(message as object);
      },
      onMessage: (listener) =>
        child.on('message', (message) => {
          // Node may hand out what was still in the pipe after it told of the end.
          if (!ended) listener(message);
        }),
      onExit: (listener) => {
        child.once('exit', (code, signal) => listener({ code, signal }));
        // What could not be started does not exit.
        if (child.pid === undefined) child.once('error', () => listener({ code: null, signal: null }));
      },
      kill: () => {
        child.kill('SIGKILL');
      },
    };
  };
}
