/** What a command needs of the world around it. */
export interface Terminal {
  write(text: string): void;
  /** For what is no part of the result: standard error. */
  warn(text: string): void;
  /** All of standard input; `null` when that is a keyboard. */
  readInput(): Promise<string | null>;
  readonly cwd: string;
  readonly home: string;
  readonly nowMs: () => number;
  /** From now on Ctrl-C fires the signal, with a `CliExit`; before that it just ends the program. */
  catchInterrupt(): AbortSignal;
}
