import { fork } from 'node:child_process';
import type { SpawnEngine } from './spawn.ts';

/**
 * Engines as children of a plain Node process.
 * @param modulePath the engine child's built entry
 * @param onStderr what a child writes to its error output, a line or more at a time
 */
export function spawnByFork(modulePath: string, onStderr: (text: string) => void): SpawnEngine {
  return () => {
    const child = fork(modulePath, [], {
      env: engineEnvironment(process.env),
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'json',
    });
    child.stderr?.setEncoding('utf8').on('data', onStderr);
    // Without a listener a failed spawn or a write to a dead child would end the app; `exit` reports both.
    child.on('error', (error) => onStderr(`${error.message}\n`));
    let ended = false;
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
        const tell = (code: number | null, signal: string | null) => {
          if (ended) return;
          ended = true;
          listener({ code, signal });
        };
        child.once('exit', tell);
        if (child.pid === undefined) child.once('error', () => tell(null, null));
      },
      kill: () => {
        child.kill('SIGKILL');
      },
    };
  };
}

/** What an engine may know of its parent's environment: where things are, never a key. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LANG',
  'LC_ALL',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'USER',
];

/**
 * glibc keeps freed memory in its arenas, and keeps more the larger the blocks were that it saw freed. With fixed thresholds
 * what a model held goes back to the system when it is unloaded. Source: mallopt(3). Other systems ignore these.
 */
const RETURN_MEMORY = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

export function engineEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = parent[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), ...RETURN_MEMORY };
}
