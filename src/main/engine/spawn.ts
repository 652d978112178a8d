/**
 * One child process as its owner sees it: the only thing that differs between Electron's `utilityProcess` and Node's
 * `child_process.fork`. Messages keep their order; after `exit` nothing more arrives.
 */
export interface ChildHandle {
  /** `undefined` when the process could not be started; then `exit` follows. */
  readonly pid: number | undefined;
  /** Sends one plain JSON value. Does nothing once the process is gone. */
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once. `code` is `null` when a signal ended it. */
  onExit(listener: (exit: { code: number | null; signal: string | null }) => void): void;
  /** Ends it at once (SIGKILL). */
  kill(): void;
}

/** Starts an engine child. Its environment holds no keys. */
export type SpawnEngine = () => ChildHandle;
