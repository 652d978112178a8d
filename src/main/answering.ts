import { RoundhouseError } from '../shared/errors.ts';
import type { GenerationRequest } from '../shared/generation.ts';
import type { AccountedCaller, Accounting, Destination } from './accounting.ts';
import type { LocalModelSettings, RemoteModelSettings } from './config/settings.ts';
import type { ModelList } from './model-list.ts';
import type { Backend, Embeddings, EmbedOptions, Generation } from './providers/backend.ts';
import type { Registry } from './registry/registry.ts';
import type { RemoteRuntime } from './remote-runtime.ts';
import type { RequiredCapability } from './routing/required-capabilities.ts';
import { type Resolution, resolveModel } from './routing/resolve.ts';

export interface AnsweringParts {
  readonly registry: Registry;
  readonly list: ModelList;
  readonly local: Backend;
  readonly remote: RemoteRuntime;
  readonly accounting: Accounting;
}

/** What usage calls this machine, where it calls others by their providers' names. */
const HERE = 'local';
const FREE = { nanoDollars: 0, priceVersionId: null } as const;

/** From a name to its answer: the model that is meant, where it runs, and the books that are kept of it. */
export class Answering {
  readonly #parts: AnsweringParts;

  constructor(parts: AnsweringParts) {
    this.#parts = parts;
  }

  /** @throws RoundhouseError, as `resolveModel` */
  route(asked: string | null, requires: readonly RequiredCapability[] = []): Resolution {
    const { registry, list } = this.#parts;
    const facts = {
      isUnusable: (model: Parameters<ModelList['known']>[0]) => list.problemOf(model) !== null,
      knowledgeOf: (model: Parameters<ModelList['known']>[0]) => list.known(model),
    };
    return resolveModel(asked, registry, facts, requires);
  }

  /** Failures come as an `error` part. */
  generate(
    route: Pick<Resolution, 'asked' | 'modelId' | 'reason'>,
    request: GenerationRequest,
    signal: AbortSignal,
    caller: AccountedCaller,
  ): Generation {
    const to = this.#destination(route.modelId);
    return this.#parts.accounting.generate(to, route, request, signal, caller);
  }

  /** @throws RoundhouseError */
  embed(
    route: Pick<Resolution, 'asked' | 'modelId' | 'reason'>,
    inputs: readonly string[],
    options: EmbedOptions,
    signal: AbortSignal,
    caller: AccountedCaller,
  ): Promise<Embeddings> {
    const to = this.#destination(route.modelId);
    return this.#parts.accounting.embed(to, route, inputs, options, signal, caller);
  }

  #destination(modelId: string): Destination {
    const model = this.#parts.registry.find(modelId);
    if (!model) return gone(modelId);
    return model.kind === 'local' ? this.#here(model) : this.#elsewhere(model);
  }

  #here({ id }: LocalModelSettings): Destination {
    const { local } = this.#parts;
    return {
      provider: HERE,
      modelId: id,
      generate: (request, signal) => local.generate(id, request, signal),
      embed: (inputs, options, signal) => local.embed(id, inputs, options, signal),
      cost: () => FREE,
      maxOutputTokens: null,
    };
  }

  #elsewhere(model: RemoteModelSettings): Destination {
    const { remote, list } = this.#parts;
    const { catalogModel, maxOutputTokens } = list.known(model);
    const isFree = remote.providers.find(model.provider)?.kind === 'mock';
    return {
      provider: model.provider,
      modelId: model.id,
      generate: (request, signal) => remote.generate(model, request, signal),
      embed: (inputs, options, signal) => remote.embed(model, inputs, options, signal),
      cost: (usage, atMs) => {
        if (isFree) return FREE;
        return catalogModel && remote.catalog.cost(catalogModel, usage, atMs);
      },
      maxOutputTokens,
    };
  }
}

/** It was taken out between the choice and the question. */
function gone(modelId: string): Destination {
  const error = new RoundhouseError(
    'model_not_found',
    `${modelId} was taken out just now; ask for another model`,
    {
      param: 'model',
    },
  );
  return {
    provider: HERE,
    modelId,
    generate: () => ({
      parts: (async function* () {
        yield { type: 'error' as const, error: error.toJSON() };
      })(),
      timing: () => ({ waitMs: 0, loadMs: 0, backendMs: 0 }),
    }),
    embed: () => Promise.reject(error),
    cost: () => FREE,
    maxOutputTokens: null,
  };
}
