import type { Clock } from '../../src/shared/clock.ts';
import type {
  AppApi,
  AppEvent,
  CallInput,
  CallName,
  CallOutput,
  DecisionView,
  EstimateView,
  MemoryView,
  ModelView,
  PlanView,
  ServerView,
  Snapshot,
  StreamInput,
  StreamName,
} from '../../src/shared/contract.ts';
import { RoundhouseError } from '../../src/shared/errors.ts';
import type { StreamPart } from '../../src/shared/generation.ts';
import { type StateEvent, transition } from '../../src/shared/model-state.ts';
import type { PROVIDER_CALLS, ProviderView } from '../../src/shared/provider-contract.ts';
import type { USAGE_CALLS, UsageRequestView } from '../../src/shared/usage-contract.ts';
import { fakeEstimate, fakePlan } from './fake-memory.ts';
import {
  FAKE_SERVER,
  fakeDecisions,
  fakeModel,
  fakeModels,
  fakeReservedBytes,
  fakeSnapshot,
} from './fake-models.ts';
import { fakeProviderCalls } from './fake-provider-calls.ts';
import { fakeProviders, fakeRemoteModels } from './fake-remote.ts';
import { FakeUsage, type FakeUsageOptions } from './fake-usage.ts';

const GIB = 1024 ** 3;
const LOAD_STEPS = 10;
const LOAD_STEP_MS = 120;
const UNLOAD_MS = 150;
const TOKEN_MS = 40;

export const CANNED_ANSWER =
  'Roundhouse keeps the right models in memory, inside a budget that it proves it keeps, and answers every ' +
  'program at one local address.\n\nAsk it for a model by name, for a tier, or for auto.';

type Handlers = { readonly [Name in CallName]: (input: CallInput<Name>) => Promise<CallOutput<Name>> };

/** Calls that this app has no use for. */
function notPlayed(): Pick<Handlers, Extract<CallName, `registry.${string}`>> {
  const refuse = async (): Promise<never> => {
    throw new RoundhouseError('not_found', 'the fake app registers nothing at run time');
  };
  return {
    'registry.registerModel': refuse,
    'registry.unregisterModel': refuse,
    'registry.registerProvider': refuse,
    'registry.unregisterProvider': refuse,
  };
}

export interface FakeAppOptions extends FakeUsageOptions {
  readonly models?: readonly ModelView[];
  readonly providers?: readonly ProviderView[];
  readonly decisions?: readonly DecisionView[];
  readonly server?: Partial<ServerView>;
}

/** An app without engines: models change state and answers come as the clock moves. */
export class FakeApp implements AppApi {
  readonly #clock: Clock;
  readonly #listeners = new Set<(event: AppEvent) => void>();
  readonly #refusals = new Map<CallName, RoundhouseError>();
  readonly #usage: FakeUsage;
  #snapshot: Snapshot;

  constructor(options: FakeAppOptions) {
    this.#clock = options.clock;
    const nowMs = options.clock.nowMs();
    this.#usage = new FakeUsage(options);
    this.#snapshot = fakeSnapshot(options.models ?? [...fakeModels(nowMs), ...fakeRemoteModels()], {
      providers: options.providers ?? fakeProviders(nowMs),
      server: { ...FAKE_SERVER, ...options.server },
      decisions: options.decisions ?? fakeDecisions(nowMs),
    });
  }

  call<Name extends CallName>(name: Name, input: CallInput<Name>): Promise<CallOutput<Name>> {
    const handlers: Handlers = { ...this.#handlers, ...this.#usage.handlers, ...this.#providerCalls };
    const error = this.#refusals.get(name);
    return error === undefined ? handlers[name](input) : Promise.reject(error);
  }

  subscribe(listener: (event: AppEvent) => void): Disposable {
    this.#listeners.add(listener);
    listener({ type: 'snapshot', snapshot: this.#snapshot });
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async *stream<Name extends StreamName>(
    _name: Name,
    input: StreamInput<Name>,
    signal: AbortSignal,
  ): AsyncIterable<StreamPart> {
    const id = input.model === 'auto' || input.model.startsWith('tier:') ? 'mistral' : input.model;
    try {
      const model = await this.#load(id);
      this.#change(id, { activeRequests: model.activeRequests + 1, idleUnloadAtMs: null });
    } catch (error) {
      yield { type: 'error', error: RoundhouseError.from(error).toJSON() };
      return;
    }
    try {
      const words = CANNED_ANSWER.split(/(?<= )/);
      for (const text of words) {
        await this.#pause(TOKEN_MS);
        if (signal.aborted) return;
        yield { type: 'text-delta', text };
      }
      yield { type: 'finish', reason: 'stop' };
      yield {
        type: 'usage',
        promptTokens: 31,
        cachedTokens: 12,
        cacheWriteTokens: 0,
        completionTokens: words.length,
        reasoningTokens: 0,
        prefillMs: TOKEN_MS,
        decodeMs: words.length * TOKEN_MS,
      };
    } finally {
      const { activeRequests } = this.#model(id);
      const idleUnloadAtMs = activeRequests === 1 ? this.#clock.nowMs() + 600_000 : null;
      this.#change(id, { activeRequests: activeRequests - 1, idleUnloadAtMs, lastFirstTokenMs: TOKEN_MS });
    }
  }

  /** From now on `name` fails; with `null` it works again. */
  refuse(name: CallName, error: RoundhouseError | null): void {
    if (error === null) this.#refusals.delete(name);
    else this.#refusals.set(name, error);
  }

  /** What each subscriber would be told now. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Changes a model as engines would, and tells it. */
  changeModel(id: string, changes: Partial<ModelView>): void {
    this.#change(id, changes);
  }

  /** Changes the machine's memory, and tells it. */
  changeMemory(changes: Partial<MemoryView>): void {
    const memory = { ...this.#snapshot.memory, ...changes };
    this.#snapshot = { ...this.#snapshot, memory };
    this.#tell({ type: 'memory', memory });
  }

  /** Requests end, all in one frame; `missed` more are only counted. */
  endRequests(
    count: number,
    changes: Partial<UsageRequestView> = {},
    missed = 0,
  ): readonly UsageRequestView[] {
    const end = () => this.#usage.end(this.#clock.nowMs(), changes);
    const unseen = Array.from({ length: missed }, end);
    const rows = Array.from({ length: count }, end);
    this.#tell({ type: 'usage', rows, missed: unseen.length });
    return rows;
  }

  readonly #providerCalls = fakeProviderCalls({
    // Made with the object itself, before its constructor has run.
    clock: { after: (delayMs, run) => this.#clock.after(delayMs, run), nowMs: () => this.#clock.nowMs() },
    providers: () => this.#snapshot.providers,
    replace: (providers) => {
      const others = this.#snapshot.providers.map((provider) => provider.name);
      this.#snapshot = { ...this.#snapshot, providers };
      const same = others.join() === providers.map((provider) => provider.name).join();
      if (!same) this.#tell({ type: 'snapshot', snapshot: this.#snapshot });
    },
    addModel: (model) => {
      this.#snapshot = { ...this.#snapshot, models: [...this.#snapshot.models, model] };
      this.#tell({ type: 'model', model });
    },
    tell: (event) => this.#tell(event),
  });

  readonly #handlers: Omit<Handlers, keyof typeof PROVIDER_CALLS | keyof typeof USAGE_CALLS> = {
    'app.snapshot': async () => this.#snapshot,
    'models.list': async () => this.#snapshot.models,
    'config.explain': async ({ key }) => [{ key, layers: [{ value: 4141, from: 'default' }] }],
    'decisions.list': async () => this.#snapshot.decisions,
    ...notPlayed(),
    'models.load': ({ id }) => this.#load(id),
    'models.unload': ({ id }) => this.#unload(id),
    'models.unloadAll': () =>
      Promise.all(
        this.#snapshot.models
          .filter((model) => model.state.status === 'ready')
          .map((model) => this.#unload(model.id)),
      ),
    'models.estimate': async ({ path, settings }) => this.#estimate(path, settings ?? {}),
    'models.plan': async ({ id }) => this.#plan(id),
    'models.pin': async ({ id, pinned }) => {
      this.#change(id, { pinned, ...(pinned ? { idleUnloadAtMs: null } : {}) });
      return this.#model(id);
    },
    'models.add': async ({ path, id, settings }) => {
      const estimate = this.#estimate(path, settings ?? {});
      const model = fakeModel(id ?? estimate.suggestedId, {
        name: estimate.name ?? estimate.suggestedId,
        source: { kind: 'file', path },
        fileBytes: estimate.fileBytes,
        contextSize: estimate.settings.contextSize,
        slots: estimate.settings.parallel,
        memory: {
          predictedBytes: estimate.totalBytes,
          measuredBytes: null,
          predicted: estimate.predicted,
          measured: null,
        },
      });
      this.#snapshot = { ...this.#snapshot, models: [...this.#snapshot.models, model] };
      this.#tell({ type: 'model', model });
      return model;
    },
  };

  #estimate(path: string, settings: Parameters<typeof fakeEstimate>[1]): EstimateView {
    return fakeEstimate(path, settings, this.#snapshot.memory, this.#snapshot.models);
  }

  #plan(id: string): PlanView {
    const { memory, models } = this.#snapshot;
    const model = this.#model(id);
    if (model.state.status === 'ready') {
      const { budgetBytes } = memory;
      return {
        outcome: 'resident',
        neededBytes: 0,
        freeBytes: 0,
        budgetBytes,
        victims: [],
        text: `${id} is loaded.`,
      };
    }
    return fakePlan(id, 1.1 * (model.memory.predictedBytes ?? 0), memory, models);
  }

  async #load(id: string): Promise<ModelView> {
    const model = this.#model(id);
    if (model.problem !== null) throw new RoundhouseError('model_load_failed', model.problem);
    if (model.state.status === 'ready') return model;
    if (model.memory.predictedBytes !== null && model.memory.predictedBytes > 12 * GIB) {
      throw new RoundhouseError(
        'model_too_large',
        `${id} needs 18.3 GiB; 12.0 GiB of the 24.0 GiB budget are free.`,
      );
    }
    this.#step(id, { type: 'load', atMs: this.#clock.monotonicMs() });
    for (let step = 1; step <= LOAD_STEPS; step += 1) {
      await this.#pause(LOAD_STEP_MS);
      if (this.#model(id).state.status !== 'loading') {
        throw new RoundhouseError('cancelled', `Loading ${id} was cancelled.`);
      }
      this.#step(id, { type: 'progress', progress: step / LOAD_STEPS });
    }
    this.#change(id, {
      memory: {
        ...model.memory,
        measuredBytes: model.memory.predictedBytes,
        measured: model.memory.predicted,
      },
      lastLoadMs: LOAD_STEPS * LOAD_STEP_MS,
      idleUnloadAtMs: this.#clock.nowMs() + 600_000,
    });
    this.#step(id, { type: 'loaded', atMs: this.#clock.monotonicMs() });
    this.#decide(id, `Loaded ${id} in 1.2 s: asked by hand.`);
    return this.#model(id);
  }

  async #unload(id: string): Promise<ModelView> {
    this.#change(id, { idleUnloadAtMs: null });
    this.#step(id, { type: 'stop', atMs: this.#clock.monotonicMs() });
    await this.#pause(UNLOAD_MS);
    this.#change(id, { memory: { ...this.#model(id).memory, measuredBytes: null, measured: null } });
    this.#step(id, { type: 'exited' });
    this.#decide(id, `Unloaded ${id}: asked by hand.`);
    return this.#model(id);
  }

  #model(id: string): ModelView {
    const model = this.#snapshot.models.find((other) => other.id === id);
    if (model === undefined) {
      throw new RoundhouseError('model_not_found', `There is no model ${id}. There are: mistral, llama.`);
    }
    return model;
  }

  #step(id: string, event: StateEvent): void {
    this.#change(id, { state: transition(this.#model(id).state, event) });
  }

  #change(id: string, changes: Partial<ModelView>): void {
    const model = { ...this.#model(id), ...changes };
    const models = this.#snapshot.models.map((other) => (other.id === id ? model : other));
    const memory = { ...this.#snapshot.memory, reservedBytes: fakeReservedBytes(models) };
    this.#snapshot = { ...this.#snapshot, models, memory };
    this.#tell({ type: 'model', model });
    this.#tell({ type: 'memory', memory });
  }

  #decide(modelId: string, text: string): void {
    const id = this.#snapshot.decisions.length + 1;
    const decision: DecisionView = { id, atMs: this.#clock.nowMs(), modelId, text };
    this.#snapshot = { ...this.#snapshot, decisions: [...this.#snapshot.decisions, decision] };
    this.#tell({ type: 'decision', decision });
  }

  #tell(event: AppEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(delayMs, resolve);
    });
  }
}
