import { randomUUID } from 'node:crypto';
import { assertNever } from '../shared/assert-never.ts';
import type {
  AppApi,
  CallInput,
  CallName,
  CallOutput,
  ExplainedKey,
  ModelView,
  Snapshot,
} from '../shared/contract.ts';
import { RoundhouseError } from '../shared/errors.ts';
import { type GenerationRequest, NO_SAMPLING, PLAIN } from '../shared/generation.ts';
import type { AccountedCaller } from './accounting.ts';
import type { Answering } from './answering.ts';
import { localModels } from './config/settings.ts';
import type { ConfigStore } from './config/store.ts';
import type { Decisions } from './decisions.ts';
import type { LocalRuntime } from './local-runtime.ts';
import type { createProviderCalls } from './provider-calls.ts';
import type { Publisher } from './publisher.ts';
import type { createRegistryCalls } from './registry-calls.ts';
import type { Usage } from './usage/usage.ts';

export interface ApiParts {
  readonly config: ConfigStore;
  readonly runtime: LocalRuntime;
  readonly answering: Pick<Answering, 'route' | 'generate'>;
  readonly decisions: Decisions;
  readonly publisher: Publisher;
  readonly snapshot: () => Snapshot;
  readonly usage: Pick<Usage, 'calls' | 'log'>;
  readonly providerCalls: ReturnType<typeof createProviderCalls>;
  readonly registryCalls: ReturnType<typeof createRegistryCalls>;
  /** Whether a model runs on this machine. */
  readonly isLocal: (modelId: string) => boolean;
  /** @throws RoundhouseError `not_found` */
  readonly explain: (key: string) => Promise<readonly ExplainedKey[]>;
  /** Resolves when the newest configuration is in force everywhere. */
  readonly configured: () => Promise<void>;
  /** Fires when the app stops. */
  readonly signal: AbortSignal;
}

type Handlers = { readonly [Name in CallName]: (input: CallInput<Name>) => Promise<CallOutput<Name>> };

/** The calls and events of `contract.ts`, for whichever transport carries them. */
export function createAppApi(parts: ApiParts): AppApi {
  const { config, runtime, publisher, snapshot } = parts;

  function modelView(id: string): ModelView {
    const view = snapshot().models.find((model) => model.id === id);
    if (view) return view;
    throw new RoundhouseError('model_not_found', `no model is called ${id}; models.list gives all`);
  }

  /** @throws RoundhouseError for a name that is nobody's, and for a model that is never loaded */
  function localIdOf(name: string): string {
    const { modelId } = parts.answering.route(name);
    if (parts.isLocal(modelId)) return modelId;
    const message = `${modelId} runs at a provider; only models of this machine are loaded, unloaded and pinned`;
    throw new RoundhouseError('invalid_request', message, { param: 'id' });
  }

  const handlers: Handlers = {
    'app.snapshot': async () => snapshot(),
    'models.list': async () => snapshot().models,
    'models.load': async ({ id }) => {
      const modelId = localIdOf(id);
      await runtime.dispatcher.load(modelId, parts.signal);
      return modelView(modelId);
    },
    'models.unload': async ({ id }) => {
      const modelId = localIdOf(id);
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
      // Whether it can be loaded at all is said now, not at the first request.
      await runtime.lookAt(added.id);
      return modelView(added.id);
    },
    'models.estimate': async ({ path, settings }) => {
      const engine = { ...config.settings.defaults, ...withoutUndefined(settings ?? {}) };
      const estimate = await runtime.estimateFile(path, engine, (name) => config.suggestId(path, name));
      const registeredAs =
        localModels(config.settings).find((model) => model.source.path === path)?.id ?? null;
      return { path, registeredAs, ...estimate };
    },
    'models.plan': ({ id }) => runtime.plan(localIdOf(id)),
    'models.pin': async ({ id, pinned }) => {
      const modelId = localIdOf(id);
      await config.setPinned(modelId, pinned);
      await parts.configured();
      return modelView(modelId);
    },
    'config.explain': async ({ key }) => parts.explain(key),
    'decisions.list': async () => parts.decisions.latest(),
    ...parts.providerCalls,
    ...parts.registryCalls,
    ...parts.usage.calls,
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
          const route = parts.answering.route(input.model);
          yield* parts.answering.generate(route, request, signal, interfaceCaller()).parts;
          return;
        }
        default:
          assertNever(name);
      }
    },
    subscribe: (listener) => {
      const subscriptions = [publisher.subscribe(listener), parts.usage.log.subscribe(listener)];
      return {
        [Symbol.dispose]() {
          for (const subscription of subscriptions) subscription[Symbol.dispose]();
        },
      };
    },
  };
}

/** Whoever chats in the interface. */
function interfaceCaller(): AccountedCaller {
  const requestId = `ui_${randomUUID().replaceAll('-', '')}`;
  return { requestId, keyName: null, user: null, contentType: null, streamed: true };
}

type Defined<Value> = { [Key in keyof Value]?: Exclude<Value[Key], undefined> };

/** An optional field that is there and undefined would hide the default behind it. */
function withoutUndefined<Value extends object>(value: Value): Defined<Value> {
  // What is filtered out is just what the type excludes.
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== undefined),
  ) as Defined<Value>;
}
