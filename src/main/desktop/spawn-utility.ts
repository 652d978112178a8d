import { utilityProcess } from 'electron';
import type { ChildHandle, SpawnEngine } from '../engine/spawn.ts';
import { ENGINE_ARGUMENTS, engineEnvironment } from '../engine/spawn-settings.ts';

const KILLED_CODE = 9;

/**
 * Engines as Electron utility processes. Usable once Electron is ready.
 * @param modulePath the engine child's built entry
 * @param onStderr what a child writes to its error output, a line or more at a time
 */
export function spawnByUtilityProcess(modulePath: string, onStderr: (text: string) => void): SpawnEngine {
  return () => spawn(modulePath, onStderr);
}

function spawn(modulePath: string, onStderr: (text: string) => void): ChildHandle {
  const child = utilityProcess.fork(modulePath, [], {
    serviceName: 'Roundhouse engine',
    env: engineEnvironment(process.env),
    execArgv: [...ENGINE_ARGUMENTS],
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let exited = false;
  let killed = false;

  // `UtilityProcess.kill` is SIGTERM, which a native evaluation would not see for a while.
  function killNow(): void {
    if (child.pid === undefined) return;
    try {
      process.kill(child.pid, 'SIGKILL');
    } catch {
      // Gone between the check and the signal.
    }
  }

  child.stderr?.on('data', (chunk: Buffer) => onStderr(chunk.toString('utf8')));
  child.once('spawn', () => {
    // A process that has no id yet cannot be killed: the wish is kept until it has one.
    if (killed) killNow();
  });
  child.once('exit', () => {
    exited = true;
  });

  return {
    get pid() {
      return child.pid;
    },
    send(message) {
      if (!exited) child.postMessage(message);
    },
    onMessage(listener) {
      // `process.exit` in a utility process does not stop it at once: what it still says is not heard.
      child.on('message', (message: unknown) => {
        if (!exited) listener(message);
      });
    },
    onExit(listener) {
      // Electron has no signal to report, but says the code is that of waitpid, where 9 is SIGKILL. No engine ends with 9.
      child.once('exit', (code) =>
        listener(killed || code === KILLED_CODE ? { code: null, signal: 'SIGKILL' } : { code, signal: null }),
      );
    },
    kill() {
      if (exited || killed) return;
      killed = true;
      killNow();
    },
  };
}
