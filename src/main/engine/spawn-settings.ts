import { availableParallelism } from 'node:os';
import { MODEL_LIMITS } from '../../shared/model-limits.ts';

/*
 * What every engine process is started with, whoever starts it.
 */

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
 * For Node, forked or in Electron. V8's young generation grows to 16 MB and more with what a load reads of a header, and
 * stays so. Kept small, an engine holds 9 MB less when empty, 35 MB less with a vocabulary of 128k, and after each load the
 * same; tokens come as fast.
 */
export const ENGINE_ARGUMENTS: readonly string[] = ['--max-semi-space-size=1'];

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

/** libuv's own. */
const LEAST_THREADS = 4;

/**
 * Threads of libuv, which an engine's native work shares: one decodes or loads, one reads or writes a state, and each
 * slot samples in one of its own. How many slots there will be is not known of a standby, and more threads than cores
 * gain nothing. Idle ones cost little: 64 of them 0.4 MiB. (On two busy cores, eight slots: no difference from 1 to 18.)
 */
export function poolThreads(cores: number): number {
  return Math.max(LEAST_THREADS, Math.min(cores, MODEL_LIMITS.parallel.max) + 2);
}

/** The environment of an engine: where things are, and how it is to behave. */
export function engineEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = parent[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(passed),
    ...RETURN_MEMORY,
    UV_THREADPOOL_SIZE: String(poolThreads(availableParallelism())),
  };
}
