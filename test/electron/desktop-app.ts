import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Commands } from './run-main.ts';

type Answer = { id: number; value?: unknown; error?: string };

/** The built desktop app under the stub, in a process of its own. */
export class DesktopApp {
  readonly #process: ChildProcess;
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #ready = Promise.withResolvers<string>();
  readonly #stderr: Promise<string>;
  readonly #exit: Promise<number | null>;
  #lastId = 0;

  constructor(options: { args: readonly string[]; env?: Readonly<Record<string, string>> }) {
    this.#process = fork('test/electron/run-main.ts', ['out/main/index.js', ...options.args, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      serialization: 'advanced',
      env: { ...process.env, ...options.env },
    });
    const { stdout, stderr } = this.#process;
    if (!stdout || !stderr) throw new Error('a piped process has its streams');
    this.#stderr = text(stderr);
    createInterface(stdout).on('line', (line) => {
      const event: unknown = JSON.parse(line);
      if (isReady(event)) this.#ready.resolve(event.url);
    });
    this.#process.on('message', ({ id, value, error }: Answer) => {
      if (error === undefined) this.#answers.get(id)?.resolve(value);
      else this.#answers.get(id)?.reject(new Error(error));
    });
    this.#exit = once(this.#process, 'exit').then(([code]: (number | null)[]) => code ?? null);
    void this.#exit.then(async (code) => {
      const ended = new Error(`the app ended with ${code}:\n${await this.#stderr}`);
      this.#ready.reject(ended);
      for (const answer of this.#answers.values()) answer.reject(ended);
    });
    this.#ready.promise.catch(() => {});
  }

  /** The address of the API, once the app serves. */
  get ready(): Promise<string> {
    return this.#ready.promise;
  }

  get exit(): Promise<number | null> {
    return this.#exit;
  }

  get stderr(): Promise<string> {
    return this.#stderr;
  }

  /** Has the stub do one of its commands. */
  do<Name extends keyof Commands>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<unknown>();
    // Whoever asked may be gone when the app ends.
    answer.promise.catch(() => {});
    this.#answers.set(id, answer);
    this.#process.send({ id, name, args });
    // The process answers with what the command returned.
    return answer.promise as Promise<Awaited<ReturnType<Commands[Name]>>>;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exit;
  }
}

function isReady(event: unknown): event is { url: string } {
  return typeof event === 'object' && event !== null && 'event' in event && event.event === 'ready';
}
