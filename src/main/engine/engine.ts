import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { EngineRequest, StreamPart } from '../../shared/generation.ts';
import { PartQueue } from './part-queue.ts';
import { PrefixCalls, type PrefixEvent } from './prefix-calls.ts';
import {
  type FromChild,
  fromChildSchema,
  type LoadedInfo,
  type LoadRequest,
  type ToChild,
} from './protocol.ts';
import type { ChildHandle } from './spawn.ts';

export interface EngineOptions {
  readonly clock: Clock;
  /** A child that has work and says nothing for this long is hung and is killed. */
  readonly silenceLimitMs: number;
  /** A load that comes no further for this long is ended: a damaged file can keep llama.cpp's reader busy for ever. */
  readonly stallLimitMs: number;
  readonly onProgress: (progress: number) => void;
  /** Called once, whatever ended the process. */
  readonly onExit: (exit: EngineExit) => void;
  /** A saved prefix was restored, or is broken. */
  readonly onPrefix?: (event: PrefixEvent) => void;
}

/** What an engine tells of the machine when it has started. */
export interface EngineFacts {
  /** What Metal recommends a process to use at most; `null` where there is no Metal. */
  readonly gpuBytes: number | null;
  /** llama.cpp's version and the device it runs on. */
  readonly build: string;
}

/** `asked` = we killed it. Otherwise `reason` says in words what happened. */
export type EngineExit =
  | { readonly asked: true }
  | {
      readonly asked: false;
      readonly reason: string;
      /** SIGKILL, and not from us: what the system does to a process when memory has run out. */
      readonly killed: boolean;
    };

/**
 * One child process and what it is doing. It holds at most one model: start → (load → generate… → unload)* → exit.
 */
export class Engine {
  /** What its slots hold, and the saving of it. */
  readonly prefixes: PrefixCalls;
  readonly #child: ChildHandle;
  readonly #options: EngineOptions;
  /** Those whose last part has not come yet. */
  readonly #generations = new Map<number, PartQueue>();
  readonly #ready = Promise.withResolvers<EngineFacts>();
  #load: PromiseWithResolvers<LoadedInfo> | null = null;
  #unload: PromiseWithResolvers<void> | null = null;
  #collect: PromiseWithResolvers<void> | null = null;
  #lastId = 0;
  #threads = 1;
  #watchdog: Disposable | null = null;
  #stall: Disposable | null = null;
  #killed: { reason: string | null } | null = null;
  #started = false;
  /** Set once the process has ended: what it is too late for fails with this. */
  #ended: RoundhouseError | null = null;

  constructor(child: ChildHandle, options: EngineOptions) {
    this.#child = child;
    this.#options = options;
    this.prefixes = new PrefixCalls(
      (message) => this.#send(message),
      (event) => options.onPrefix?.(event),
    );
    // Whoever waits hears of a failure; that nobody waits is no error.
    this.#ready.promise.catch(() => {});
    child.onMessage((message) => this.#receive(message));
    child.onExit((exit) => this.#exit(exit));
    this.#watch();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when the backend is initialised and a model can be loaded; rejects when the process ends before. */
  get ready(): Promise<EngineFacts> {
    return this.#ready.promise;
  }

  /** @throws RoundhouseError `model_load_failed` with llama.cpp's words, `engine_failed` when the process ends */
  async load(request: Omit<LoadRequest, 'threads'>): Promise<LoadedInfo> {
    await this.#ready.promise;
    if (this.#ended) throw this.#ended;
    this.#load = Promise.withResolvers();
    this.#send({ type: 'load', ...request, threads: this.#threads });
    this.#watchLoad();
    return this.#load.promise;
  }

  /**
   * Parts of one answer. Aborting, or leaving the loop, stops the generation; the iteration ends when the slot is
   * free again. A process that ends shows as an `error` part.
   */
  async *generate(request: EngineRequest, signal: AbortSignal): AsyncGenerator<StreamPart> {
    const id = ++this.#lastId;
    const queue = new PartQueue();
    const abort = () => this.#send({ type: 'abort', id });
    this.#generations.set(id, queue);
    this.#send({ type: 'generate', id, request });
    if (this.#ended) queue.push({ type: 'error', error: this.#ended.toJSON() });
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      let ended = false;
      try {
        for (;;) {
          const part = await queue.next();
          ended = isLast(part);
          yield part;
          if (ended) return;
        }
      } finally {
        if (!ended) {
          abort();
          while (!isLast(await queue.next()));
        }
      }
    } finally {
      signal.removeEventListener('abort', abort);
      this.#generations.delete(id);
    }
  }

  /** CPU threads the model may spin on from now on. */
  setThreads(threads: number): void {
    if (threads === this.#threads) return;
    this.#threads = threads;
    // A child that is still starting learns it with the load.
    if (this.#started) this.#send({ type: 'threads', threads });
  }

  /** Empties the engine. Aborts a load and generations under way. Rejects when the process ends instead. */
  async unload(): Promise<void> {
    await this.#ready.promise;
    if (this.#ended) throw this.#ended;
    this.#unload ??= Promise.withResolvers();
    this.#send({ type: 'unload' });
    return this.#unload.promise;
  }

  /** Gives garbage back, before an empty engine is measured. Rejects when the process ends instead. */
  async collect(): Promise<void> {
    if (this.#ended) throw this.#ended;
    this.#collect ??= Promise.withResolvers();
    this.#send({ type: 'collect' });
    return this.#collect.promise;
  }

  /** Ends the process; `onExit` follows. */
  kill(): void {
    this.#killed ??= { reason: null };
    this.#child.kill();
  }

  #send(message: ToChild): void {
    this.#child.send(message);
    this.#watch();
  }

  #receive(raw: unknown): void {
    const message = fromChildSchema.safeParse(raw);
    if (message.success) this.#handle(message.data);
    else this.#killFor('it sent a message that makes no sense');
    this.#unwatch();
    this.#watch();
  }

  #handle(message: FromChild): void {
    switch (message.type) {
      case 'alive':
        return;
      case 'ready':
        this.#started = true;
        this.#ready.resolve({ gpuBytes: message.gpuBytes, build: message.build });
        return;
      case 'progress':
        this.#options.onProgress(message.progress);
        if (this.#load) this.#watchLoad();
        return;
      case 'loaded':
        this.#load?.resolve(message.info);
        this.#loadEnded();
        return;
      case 'failed':
        // Codes come from this same program, on the other side.
        this.#load?.reject(
          RoundhouseError.fromJSON(message.error as Parameters<typeof RoundhouseError.fromJSON>[0]),
        );
        this.#loadEnded();
        return;
      case 'unloaded':
        this.prefixes.forget();
        this.#unload?.resolve();
        this.#unload = null;
        return;
      case 'collected':
        this.#collect?.resolve();
        this.#collect = null;
        return;
      case 'parts':
        for (const [id, part] of message.parts) {
          this.#generations.get(id)?.push(part);
          // The child owes no more, though the reader may take its time.
          if (isLast(part)) this.#generations.delete(id);
        }
        return;
      default:
        this.prefixes.handle(message);
    }
  }

  /**
   * The watchdog runs while something is owed to us. Only what the child says sets it back: what is sent does not, or
   * callers that come and give up would keep a hung child alive.
   */
  #watch(): void {
    if (this.#watchdog || this.#ended || !this.#hasWork()) return;
    const { clock, silenceLimitMs } = this.#options;
    this.#watchdog = clock.after(silenceLimitMs, () =>
      this.#killFor(
        `it was silent for ${Math.round(silenceLimitMs / 1000)} s while it had work, so it was ended`,
      ),
    );
  }

  /** Being alive is not enough while a model loads: it has to come further. */
  #watchLoad(): void {
    const { clock, stallLimitMs } = this.#options;
    this.#stall?.[Symbol.dispose]();
    this.#stall = clock.after(stallLimitMs, () =>
      this.#killFor(
        `loading came no further for ${Math.round(stallLimitMs / 1000)} s, so it was ended; the file may be damaged`,
      ),
    );
  }

  #loadEnded(): void {
    this.#load = null;
    this.#stall?.[Symbol.dispose]();
    this.#stall = null;
  }

  #unwatch(): void {
    this.#watchdog?.[Symbol.dispose]();
    this.#watchdog = null;
  }

  #hasWork(): boolean {
    if (!this.#started || this.#load || this.#unload || this.#collect) return true;
    return this.#generations.size > 0 || this.prefixes.pending;
  }

  #killFor(reason: string): void {
    this.#killed ??= { reason };
    this.#child.kill();
  }

  #exit(exit: { code: number | null; signal: string | null }): void {
    this.#unwatch();
    const reason = this.#killed ? this.#killed.reason : exitReason(exit);
    const error = engineError(reason ?? 'it was stopped');
    this.#ended = error;
    this.#ready.reject(error);
    this.#load?.reject(error);
    this.#loadEnded();
    this.#unload?.reject(error);
    this.#collect?.reject(error);
    this.prefixes.end(error);
    for (const queue of this.#generations.values()) queue.push({ type: 'error', error: error.toJSON() });
    const killed = this.#killed === null && exit.signal === 'SIGKILL';
    this.#options.onExit(reason === null ? { asked: true } : { asked: false, reason, killed });
  }
}

function isLast(part: StreamPart): boolean {
  return part.type === 'usage' || part.type === 'error';
}

function exitReason(exit: { code: number | null; signal: string | null }): string {
  if (exit.signal !== null) return `its process was ended by ${exit.signal}`;
  if (exit.code !== null) return `its process ended with code ${exit.code}`;
  return 'its process could not be started';
}

function engineError(reason: string): RoundhouseError {
  return new RoundhouseError('engine_failed', `the engine failed: ${reason}; try again`, {
    retryAfterMs: 1000,
  });
}
