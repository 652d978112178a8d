import { utilityProcess } from 'electron';
import type { ChildHandle, SpawnEngine } from '../engine/spawn.ts';

export interface UtilitySpawnOptions {
  /** The built engine child. */
  readonly childFile: string;
  /** The whole environment of the child: no keys in it. */
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
}

/** Starts engine children as Electron utility processes. Usable once Electron is ready. */
export function utilitySpawner(options: UtilitySpawnOptions): SpawnEngine {
  return () => spawn(options);
}

function spawn(options: UtilitySpawnOptions): ChildHandle {
  const child = utilityProcess.fork(options.childFile, [], {
    serviceName: 'Roundhouse engine',
    env: { ...options.env },
    execArgv: [...options.execArgv],
    stdio: 'ignore',
  });
  let exited = false;
  let killed = false;

  // `UtilityProcess.kill` is SIGTERM, which a busy evaluation would not see for a while.
  function killNow(): void {
    if (child.pid === undefined) return;
    try {
      process.kill(child.pid, 'SIGKILL');
    } catch {
      // Gone between the check and the signal.
    }
  }

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
      child.on('message', (message: unknown) => {
        if (!exited) listener(message);
      });
    },
    onExit(listener) {
      // Electron has no signal to report; only a death that was asked for here is known to be one.
      child.once('exit', (code) =>
        listener(killed ? { code: null, signal: 'SIGKILL' } : { code, signal: null }),
      );
    },
    kill() {
      if (exited || killed) return;
      killed = true;
      killNow();
    },
  };
}
