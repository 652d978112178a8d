import { Worker } from 'node:worker_threads';
import { type ErrorCode, RoundhouseError } from '../../shared/errors.ts';
import type { AlertRow } from './budgets.ts';
import type { StoreCallName, StoreInput, StoreOutput } from './thread/calls.ts';
import type { CorrectionRow } from './thread/corrections.ts';
import type { Answer, Opening, Question, ThreadOrder } from './thread/protocol.ts';

export interface DataStoreOptions {
  readonly file: string;
  /** The program of the thread: `thread/main.ts`, or what it was built to. */
  readonly threadModule: string;
}

interface Asked {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: RoundhouseError) => void;
}

/**
 * The data folder's database, in a thread of its own. While it is open no other process can use the folder; the lock is
 * the operating system's and ends with the process.
 */
export class DataStore {
  /** Where a damaged database was moved when this one was opened; it is kept. */
  readonly movedAsideTo: string | null;
  /** What was known when it was opened, by the model's identity. */
  readonly corrections: ReadonlyMap<string, CorrectionRow>;
  readonly alerts: readonly AlertRow[];
  readonly lastRequestId: number;
  readonly #worker: Worker;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #ended: RoundhouseError | null = null;

  private constructor(worker: Worker, opening: Extract<Opening, { readonly type: 'opened' }>) {
    this.#worker = worker;
    this.movedAsideTo = opening.movedAsideTo;
    this.corrections = opening.corrections;
    this.alerts = opening.alerts;
    this.lastRequestId = opening.lastRequestId;
    worker.on('message', (answer: Answer) => this.#take(answer));
    worker.on('error', (error) =>
      this.#end('internal_error', `the database's thread failed: ${error.message}`),
    );
    worker.on('exit', () => this.#end('shutting_down', 'the database is closed'));
    // What is under way keeps the process alive; a database that is merely open does not.
    worker.unref();
  }

  /**
   * Opens the database, or begins a new one in place of one that is damaged.
   * @throws RoundhouseError `conflict` when another process holds it; `config_invalid` when it cannot be opened
   */
  static async open({ file, threadModule }: DataStoreOptions): Promise<DataStore> {
    const order: ThreadOrder = { file };
    const worker = new Worker(threadModule, {
      workerData: order,
      name: 'database',
      // It needs neither what the app was started with nor the keys in its environment.
      execArgv: [],
      env: {},
    });
    const { promise, resolve, reject } = Promise.withResolvers<Opening>();
    worker.once('message', resolve);
    worker.once('error', reject);
    const opening = await promise;
    if (opening.type === 'failed') throw RoundhouseError.fromJSON(opening.error);
    return new DataStore(worker, opening);
  }

  /**
   * Calls are begun in the order in which they were made. They do not throw at once, whatever is wrong.
   * @throws RoundhouseError with SQLite's words; `shutting_down` after `close`
   */
  call<Name extends StoreCallName>(name: Name, input: StoreInput<Name>): Promise<StoreOutput<Name>> {
    // The thread answers each call with what the function of that name gives.
    return this.#ask(name, input) as Promise<StoreOutput<Name>>;
  }

  /** When it cannot be kept it is learned again. */
  saveCorrection(model: string, correction: CorrectionRow): void {
    this.call('saveCorrection', { model, correction }).catch(() => undefined);
  }

  /** Resolves when all that was asked before is done, the database is whole on the disk, and the folder is free. */
  async close(): Promise<void> {
    if (this.#ended) return;
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    // Whatever was wrong: the thread ends after it, and what is in the log of writes is found at the next start.
    await this.#ask('close', null).catch(() => undefined);
    this.#worker.ref();
    await ended;
  }

  #ask(name: Question['name'], input: unknown): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ id, name, input } satisfies Question);
    });
  }

  #take(answer: Answer): void {
    const asked = this.#asked.get(answer.id);
    this.#asked.delete(answer.id);
    if (this.#asked.size === 0) this.#worker.unref();
    if (answer.ok) asked?.resolve(answer.output);
    else asked?.reject(RoundhouseError.fromJSON(answer.error));
  }

  #end(code: ErrorCode, message: string): void {
    this.#ended ??= new RoundhouseError(code, message);
    for (const { reject } of this.#asked.values()) reject(this.#ended);
    this.#asked.clear();
  }
}
