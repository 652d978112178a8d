import { assertNever } from '../shared/assert-never.ts';
import type { AppApi, CallInput, CallName, CallOutput, ModelView, Snapshot } from '../shared/contract.ts';
import { RoundhouseError } from '../shared/errors.ts';
import { type GenerationRequest, NO_SAMPLING, PLAIN } from '../shared/generation.ts';
import { PROVIDER_CALLS } from '../shared/provider-contract.ts';
import { USAGE_CALLS } from '../shared/usage-contract.ts';
import type { ConfigStore } from './config/store.ts';
import type { Decisions } from './decisions.ts';
import type { LocalRuntime } from './local-runtime.ts';
import type { Backend } from './providers/backend.ts';
import type { Publisher } from './publisher.ts';

export interface ApiParts {
  readonly config: ConfigStore;
  readonly runtime: LocalRuntime;
  readonly backend: Backend;
  readonly decisions: Decisions;
  readonly publisher: Publisher;
  readonly snapshot: () => Snapshot;
  /** @throws RoundhouseError `model_not_found` */
  readonly route: (asked: string) => { readonly modelId: string };
  /** Resolves when the newest configuration is in force everywhere. */
  readonly configured: () => Promise<void>;
  /** Fires when the app stops. */
  readonly signal: AbortSignal;
}

type Handlers = { readonly [Name in CallName]: (input: CallInput<Name>) => Promise<CallOutput<Name>> };

type NotJoined = Pick<Handlers, keyof typeof PROVIDER_CALLS | keyof typeof USAGE_CALLS>;

/** Calls of rooms that are not joined to the app yet. */
function notJoined(): NotJoined {
  const refuse = async (): Promise<never> => {
    throw new RoundhouseError('not_found', 'this part of Roundhouse is not joined to the app yet');
  };
  const names = [...Object.keys(PROVIDER_CALLS), ...Object.keys(USAGE_CALLS)];
  // Each name of the two tables, and one handler for all: it refuses whatever it is given.
  return Object.fromEntries(names.map((name) => [name, refuse])) as unknown as NotJoined;
}

/** The calls and events of `contract.ts`, for whichever transport carries them. */
export function createAppApi(parts: ApiParts): AppApi {
  const { config, runtime, publisher, snapshot } = parts;

  function modelView(id: string): ModelView {
    const view = snapshot().models.find((model) => model.id === id);
    if (view) return view;
    throw new RoundhouseError('model_not_found', `no model is called ${id}; models.list gives all`);
  }

  const handlers: Handlers = {
    'app.snapshot': async () => snapshot(),
    'models.list': async () => snapshot().models,
    'models.load': async ({ id }) => {
      const { modelId } = parts.route(id);
      await runtime.dispatcher.load(modelId, parts.signal);
      return modelView(modelId);
    },
    'models.unload': async ({ id }) => {
      const { modelId } = parts.route(id);
      await runtime.dispatcher.unload(modelId);
      return modelView(modelId);
    },
    'models.unloadAll': async () => {
      const ids = [...runtime.scheduler.models.keys()];
      await Promise.all(ids.map((id) => runtime.dispatcher.unload(id)));
      return snapshot().models;
    },
    'models.add': async ({ path, id, settings }) => {
      const { name } = await runtime.readHeader(path);
      const added = await config.addModel({
        path,
        id: id ?? null,
        name,
        settings: withoutUndefined(settings ?? {}),
      });
      await parts.configured();
      return modelView(added.id);
    },
    'models.estimate': async ({ path, settings }) => {
      const { name } = await runtime.readHeader(path);
      const suggestedId = config.suggestId(path, name);
      const engine = { ...config.settings.defaults, ...withoutUndefined(settings ?? {}) };
      return {
        path,
        suggestedId,
        registeredAs: config.settings.models.find((model) => model.source.path === path)?.id ?? null,
        ...(await runtime.estimateFile(path, suggestedId, engine)),
      };
    },
    'models.plan': ({ id }) => runtime.plan(parts.route(id).modelId),
    'models.pin': async ({ id, pinned }) => {
      const { modelId } = parts.route(id);
      await config.setPinned(modelId, pinned);
      await parts.configured();
      return modelView(modelId);
    },
    'decisions.list': async () => parts.decisions.latest(),
    ...notJoined(),
  };

  return {
    call: (name, input) => handlers[name](input),
    async *stream(name, input, signal) {
      switch (name) {
        case 'chat.generate': {
          const request: GenerationRequest = {
            prompt: { kind: 'chat', messages: input.messages },
            maxTokens: input.maxTokens,
            stop: [],
            sampling: { ...NO_SAMPLING, ...withoutUndefined(input.sampling) },
            ...PLAIN,
          };
          yield* parts.backend.generate(parts.route(input.model).modelId, request, signal).parts;
          return;
        }
        default:
          assertNever(name);
      }
    },
    subscribe: (listener) => publisher.subscribe(listener),
  };
}

type Defined<Value> = { [Key in keyof Value]?: Exclude<Value[Key], undefined> };

/** An optional field that is there and undefined would hide the default behind it. */
function withoutUndefined<Value extends object>(value: Value): Defined<Value> {
  // What is filtered out is just what the type excludes.
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== undefined),
  ) as Defined<Value>;
}
