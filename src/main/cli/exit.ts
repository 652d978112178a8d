/** What each exit code means; `roundhouse --help` says the same. */
export const EXIT = { done: 0, failed: 1, usage: 2, notRunning: 3, interrupted: 130 } as const;

/** Ends the program with one line on standard error and an exit code. */
export class CliExit extends Error {
  override readonly name = 'CliExit';
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
