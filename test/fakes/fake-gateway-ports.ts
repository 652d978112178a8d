import { createHash } from 'node:crypto';
import type {
  ApiKey,
  Caller,
  Embeddings,
  EmbedOptions,
  GatewayPorts,
  Generation,
  Route,
} from '../../src/main/gateway/ports.ts';
import type { RequiredCapability } from '../../src/main/routing/required-capabilities.ts';
import type { AppEvent, CallName, ModelView, Snapshot } from '../../src/shared/contract.ts';
import { RoundhouseError } from '../../src/shared/errors.ts';
import type { FinishReason, GenerationRequest, StreamPart, Usage } from '../../src/shared/generation.ts';
import type { UsageFilters } from '../../src/shared/usage-contract.ts';
import { NOTHING_KNOWN } from './fake-remote.ts';

/** One generation that the gateway asked for. The test plays the engine: it pushes parts and ends the stream. */
export class FakeGeneration implements Generation {
  readonly route: Route;
  readonly request: GenerationRequest;
  readonly signal: AbortSignal;
  readonly caller: Caller;
  /** Resolves when the gateway fires the signal that it passed. */
  readonly aborted: Promise<void>;
  readonly parts: AsyncIterable<StreamPart>;
  /** What `timing` says. */
  spent = { waitMs: 0, backendMs: 0 };
  /** Parts that the gateway has asked for so far. */
  pulled = 0;
  /** The gateway has left the loop, or the stream has ended. */
  left = false;
  readonly #queue: StreamPart[] = [];
  #ended = false;
  #wake: () => void = () => {};
  #onPull: () => void = () => {};

  constructor(route: Route, request: GenerationRequest, signal: AbortSignal, caller: Caller) {
    this.route = route;
    this.request = request;
    this.signal = signal;
    this.caller = caller;
    this.aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    this.parts = this.#run();
  }

  timing(): { readonly waitMs: number; readonly backendMs: number } {
    return this.spent;
  }

  push(...parts: StreamPart[]): this {
    this.#queue.push(...parts);
    this.#wake();
    return this;
  }

  text(...texts: string[]): this {
    return this.push(...texts.map((text) => ({ type: 'text-delta' as const, text })));
  }

  fail(error: RoundhouseError): void {
    this.push({ type: 'error', error: error.toJSON() });
    this.end();
  }

  /** Ends the stream as a whole answer does. */
  finish(usage: Partial<Usage> = {}, reason: FinishReason = 'stop'): void {
    this.push(
      { type: 'finish', reason },
      {
        type: 'usage',
        promptTokens: 7,
        cachedTokens: 3,
        cacheWriteTokens: 0,
        completionTokens: 2,
        reasoningTokens: 0,
        prefillMs: 1,
        decodeMs: 1,
        ...usage,
      },
    );
    this.end();
  }

  /** Resolves when the gateway has taken its `count`th part. */
  async untilPulled(count: number): Promise<void> {
    while (this.pulled < count) {
      await new Promise<void>((resolve) => {
        this.#onPull = resolve;
      });
    }
  }

  /** Ends the stream whatever it has given. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *#run(): AsyncGenerator<StreamPart> {
    try {
      for (;;) {
        const part = this.#queue.shift();
        if (part !== undefined) {
          this.pulled += 1;
          this.#onPull();
          yield part;
          continue;
        }
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.left = true;
    }
  }
}

/** One call for embeddings, as the gateway made it. */
export interface EmbedCall {
  readonly route: Route;
  readonly inputs: readonly string[];
  readonly options: EmbedOptions;
  readonly signal: AbortSignal;
  readonly caller: Caller;
}

/** What an app would be to the gateway, with everything a test may want to set in plain sight. */
export class FakeGatewayPorts implements GatewayPorts {
  adminToken = 'the-admin-token';
  interfaceDir: string | null = null;
  allowedHosts: string[] = [];
  allowedOrigins: string[] = [];
  apiKeys: ApiKey[] = [];
  isServing = true;
  list: ModelView[] = [modelView('demo', { aliases: ['default-demo'], tiers: ['low'] })];
  /** Every generation so far, oldest first. */
  readonly generations: FakeGeneration[] = [];
  /** Plays the engine for each new generation; without it the test does, through `generation`. */
  engine: ((generation: FakeGeneration) => void) | null = null;
  /** What routes carry along. */
  warnings: string[] = [];
  /** What each request for a route required. */
  readonly required: (readonly RequiredCapability[])[] = [];
  readonly embedCalls: EmbedCall[] = [];
  /** Plays the provider for embeddings. */
  embedder: (call: EmbedCall) => Promise<Embeddings> = () =>
    Promise.reject(new Error('this test expects no call for embeddings'));
  /** Calls of the contract as they came in. */
  readonly calls: { readonly name: CallName; readonly input: unknown }[] = [];
  /** What the next calls answer, or throw when it is an error. */
  callResult: unknown = [];
  adminParts: (signal: AbortSignal) => AsyncIterable<StreamPart> = async function* () {};
  readonly listeners = new Set<(event: AppEvent) => void>();
  readonly #waiters = new Set<() => void>();

  readonly settings = {
    current: () => ({
      allowedHosts: this.allowedHosts,
      allowedOrigins: this.allowedOrigins,
      apiKeys: this.apiKeys,
    }),
  };

  /** A test that sends files sets what becomes of them. */
  uploads: GatewayPorts['uploads'] = {
    receive: () => Promise.reject(new Error('this test expects no upload')),
  };

  readonly api: GatewayPorts['api'] = {
    call: async (name, input) => {
      this.calls.push({ name, input });
      if (this.callResult instanceof Error) throw this.callResult;
      // A test sets what its own call is to answer.
      return this.callResult as never;
    },
    stream: (_name, _input, signal) => this.adminParts(signal),
    subscribe: (listener) => {
      this.listeners.add(listener);
      this.#notify();
      listener({ type: 'snapshot', snapshot: snapshot(this.list) });
      return {
        [Symbol.dispose]: () => {
          this.listeners.delete(listener);
          this.#notify();
        },
      };
    },
  };

  models(): readonly ModelView[] {
    return this.list;
  }

  route(asked: string | null, requires: readonly RequiredCapability[]): Route {
    this.required.push(requires);
    const name = asked ?? 'auto';
    const model =
      name === 'auto' || name.startsWith('tier:')
        ? this.list[0]
        : this.list.find((candidate) => candidate.id === name || candidate.aliases.includes(name));
    if (model === undefined) {
      throw new RoundhouseError('model_not_found', `There is no model "${name}". The nearest is "demo".`, {
        param: 'model',
      });
    }
    return {
      asked: name,
      modelId: model.id,
      reason: name === model.id ? 'asked by its id' : `stands for ${model.id}`,
      ...(this.warnings.length === 0 ? {} : { warnings: this.warnings }),
    };
  }

  generate(route: Route, request: GenerationRequest, signal: AbortSignal, caller: Caller): FakeGeneration {
    const generation = new FakeGeneration(route, request, signal, caller);
    this.generations.push(generation);
    this.engine?.(generation);
    this.#notify();
    return generation;
  }

  embed(
    route: Route,
    inputs: readonly string[],
    options: EmbedOptions,
    signal: AbortSignal,
    caller: Caller,
  ): Promise<Embeddings> {
    const call = { route, inputs, options, signal, caller };
    this.embedCalls.push(call);
    this.#notify();
    return this.embedder(call);
  }

  metrics() {
    return { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'a_metric 1\n' };
  }

  /** Each export that was asked for, with its filters. */
  readonly exports: { readonly format: string; readonly filters: UsageFilters }[] = [];

  exportUsage(format: 'csv' | 'jsonl', filters: UsageFilters) {
    this.exports.push({ format, filters });
    return (async function* () {
      yield 'id,model\n';
      yield '1,demo\n';
    })();
  }

  serving(): boolean {
    return this.isServing;
  }

  /** The generation with this number, from 0, as soon as the gateway has asked for it. */
  async generation(index = 0): Promise<FakeGeneration> {
    await this.until(() => this.generations.length > index);
    const generation = this.generations[index];
    if (generation === undefined) throw new Error(`there is no generation ${index}`);
    return generation;
  }

  /** Resolves when `holds` does; looks again at each generation and each subscription. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
  }

  #notify(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}

/** An API key as models.yaml would give it, without a name, rights or limits unless told otherwise. */
export function apiKey(key: string, fields: Partial<ApiKey> = {}): ApiKey {
  return {
    name: null,
    sha256: createHash('sha256').update(key).digest('hex'),
    admin: false,
    maxConcurrent: null,
    requestsPerMinute: null,
    ...fields,
  };
}

/** A model as the app lists it, resident unless told otherwise. */
export function modelView(id: string, fields: Partial<ModelView> = {}): ModelView {
  return {
    ...NOTHING_KNOWN,
    id,
    name: id,
    aliases: [],
    tiers: [],
    source: { kind: 'file', path: `/models/${id}.gguf` },
    fileBytes: 1000,
    contextSize: 2048,
    slots: 4,
    pinned: false,
    state: { status: 'ready', sinceMs: 0 },
    memory: { predictedBytes: null, measuredBytes: null, predicted: null, measured: null },
    activeRequests: 0,
    queuedRequests: 0,
    lastTokensPerSecond: null,
    lastFirstTokenMs: null,
    lastLoadMs: null,
    idleUnloadAtMs: null,
    problem: null,
    ...fields,
  };
}

export function snapshot(models: readonly ModelView[]): Snapshot {
  return {
    server: {
      version: '0.0.0',
      shell: 'headless',
      url: 'http://127.0.0.1:80',
      machine: 'a machine',
      dataDir: '/data',
      configFile: '/data/models.yaml',
      configProblems: [],
    },
    models,
    providers: [],
    memory: {
      totalBytes: 100,
      otherBytes: 10,
      availableBytes: 70,
      pressure: 'normal',
      budgetBytes: 80,
      reservedBytes: 20,
      overrunBytes: 0,
      standbyBytes: 0,
      maxLoadedModels: 5,
      prefixCache: null,
    },
    decisions: [],
    defaultModel: 'tier:default',
    tiers: ['low'],
  };
}

/** Lets a generation answer at once with `texts`. */
export function answering(...texts: string[]): (generation: FakeGeneration) => void {
  return (generation) => generation.text(...texts).finish();
}
