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
      execArgv: [...SMALL_HEAP],
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
 * V8's young generation grows to 16 MB and more with what a load reads of a header, and stays so. Kept small, an engine holds
 * 9 MB less when empty, 35 MB less with a vocabulary of 128k, and after each load the same; tokens come as fast.
 */
const SMALL_HEAP = ['--max-semi-space-size=1'];

/**
 * glibc keeps freed memory in its arenas, and keeps more the larger the blocks were that it saw freed. With fixed thresholds
 * what a model held goes back to the system when it is unloaded, and what each token needs (1.5 MB for a vocabulary of
 * 128k) does not go back and forth. Source: mallopt(3). Other systems ignore these.
 */
const RETURN_MEMORY = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: String(4 * 1024 ** 2),
  MALLOC_TRIM_THRESHOLD_: String(8 * 1024 ** 2),
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
