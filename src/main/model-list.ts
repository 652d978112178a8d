import type { Clock } from '../shared/clock.ts';
import type { ModelView } from '../shared/contract.ts';
import type { Accounting } from './accounting.ts';
import type { LocalModelSettings, ModelSettings, RemoteModelSettings } from './config/settings.ts';
import type { LocalRuntime } from './local-runtime.ts';
import type { ModelFiles } from './model-files.ts';
import { type KnownModel, knownOf, priceView } from './model-knowledge.ts';
import type { ModelProblems } from './model-problems.ts';
import type { Registry } from './registry/registry.ts';
import type { RemoteRuntime } from './remote-runtime.ts';
import { localModelView, remoteModelView } from './views.ts';

export interface ModelListParts {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly runtime: LocalRuntime;
  readonly remote: RemoteRuntime;
  readonly files: ModelFiles;
  readonly problems: Pick<ModelProblems, 'of'>;
  readonly accounting: Pick<Accounting, 'activeOf' | 'lastAnswerOf'>;
}

/** The registered models with all that is known of them at this moment. */
export class ModelList {
  readonly #parts: ModelListParts;

  constructor(parts: ModelListParts) {
    this.#parts = parts;
  }

  views(): ModelView[] {
    return this.#parts.registry.models.map((model) =>
      model.kind === 'local' ? this.#localView(model) : this.#remoteView(model),
    );
  }

  /** What is known of a model, whether it is registered or just named as `provider/model`. */
  known(model: ModelSettings): KnownModel {
    const { clock, registry, remote } = this.#parts;
    return knownOf(model, {
      catalog: remote.catalog,
      provider: (name) => remote.providers.find(name),
      listed: (provider, remoteId) => remote.listed(provider, remoteId),
      hasEntry: (id) => registry.has(id),
      nowMs: clock.nowMs(),
    });
  }

  /** Why a model cannot be asked now, as far as that is known beforehand. */
  problemOf(model: ModelSettings): string | null {
    const { problems, remote } = this.#parts;
    if (model.kind === 'local') return problems.of(model);
    return remote.providers.find(model.provider) === null
      ? `no provider "${model.provider}" is registered now`
      : null;
  }

  #localView(model: LocalModelSettings): ModelView {
    const { clock, runtime, files } = this.#parts;
    return localModelView(
      model,
      {
        ...this.#facts(model),
        fileBytes: files.of(model.source.path).fileBytes,
        problem: this.problemOf(model),
        contextSize: runtime.memory.contextSize(model.id, model.engine.contextSize),
        predicted: runtime.memory.predictedLines(model.id),
        measuredLines: (bytes) => runtime.memory.measuredLines(model.id, bytes),
        lastLoadMs: runtime.memory.lastLoadMs(model.id),
      },
      runtime.scheduler,
      clock.nowMs() - clock.monotonicMs(),
    );
  }

  #remoteView(model: RemoteModelSettings): ModelView {
    const { clock, remote, accounting } = this.#parts;
    const facts = this.#facts(model);
    return remoteModelView(model, {
      ...facts,
      activeRequests: accounting.activeOf(model.id),
      price: priceView(remote.catalog, facts.known.catalogModel, clock.nowMs()),
      problem: this.problemOf(model),
    });
  }

  #facts(model: ModelSettings) {
    const { registry, accounting } = this.#parts;
    return {
      tiers: registry.tiersOf(model.id),
      known: this.known(model),
      lastAnswer: accounting.lastAnswerOf(model.id),
    };
  }
}
