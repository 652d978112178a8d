import type { Clock } from '../../shared/clock.ts';
import type { DetectorName } from '../../shared/detector-names.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { GenerationRequest, StreamPart } from '../../shared/generation.ts';
import { KEY_VARIABLES } from '../../shared/provider-kinds.ts';
import type { ProviderSettings } from '../config/settings.ts';
import { Api } from './api.ts';
import type { Embeddings, EmbedOptions } from './backend.ts';
import { checkedBaseUrl, type OwnAddress } from './base-url.ts';
import { callOptions } from './call-options.ts';
import { type Fetch, guardedFetch } from './guarded-fetch.ts';
import { detected } from './models/detectors.ts';
import type { RemoteModel } from './provider.ts';
import { SdkParts } from './sdk-parts.ts';
import type { Upstream } from './upstream.ts';
import { cutError, missingKeyError, type Subject, streamError, toProviderError } from './upstream-errors.ts';
import type { Sdk, Vendor } from './vendors/vendor.ts';

/** More than any answer, and any list of models. */
const MAX_ANSWER_BYTES = 256 * 1024 ** 2;

export interface SdkPorts {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Where this app listens, so that it does not ask itself; `null` while it does not. */
  own(): OwnAddress | null;
  /** The most tokens that a model can write, as far as the catalog knows. */
  maxOutputTokens(provider: string, remoteId: string): number | null;
}

/** What is made at the first use. */
interface Link {
  readonly sdk: Promise<Sdk>;
  readonly api: Api;
  readonly subject: Subject;
}

/** A provider that is asked over the network, through its vendor's AI SDK package. */
export class SdkUpstream implements Upstream {
  readonly #vendor: Vendor;
  readonly #settings: ProviderSettings;
  readonly #detectors: readonly DetectorName[];
  readonly #ports: SdkPorts;
  #link: Link | null = null;

  constructor(
    vendor: Vendor,
    settings: ProviderSettings,
    detectors: readonly DetectorName[] | null,
    ports: SdkPorts,
  ) {
    this.#vendor = vendor;
    this.#settings = settings;
    this.#detectors = detectors ?? vendor.detectors;
    this.#ports = ports;
  }

  check(): void {
    this.#linked();
  }

  async *stream(
    remoteId: string,
    request: GenerationRequest,
    signal: AbortSignal,
  ): AsyncGenerator<StreamPart> {
    const { sdk, subject } = this.#linked();
    const { clock, maxOutputTokens } = this.#ports;
    const options = callOptions(
      request,
      this.#vendor.dialect,
      maxOutputTokens(this.#settings.name, remoteId),
    );
    const model = (await sdk).languageModel(remoteId);
    const parts = new SdkParts({
      event: (error) => streamError(error, subject, clock.nowMs()),
      cut: () => cutError(subject),
    });
    const { stream } = await model.doStream({ ...options, abortSignal: signal });
    for await (const part of stream) {
      if (part.type === 'error' && this.#vendor.ignores(part.error)) continue;
      yield* parts.take(part);
    }
    parts.end();
  }

  async embed(
    remoteId: string,
    inputs: readonly string[],
    { dimensions }: EmbedOptions,
    signal: AbortSignal,
  ): Promise<Embeddings> {
    const { sdk } = this.#linked();
    const { embeddingModel } = await sdk;
    if (embeddingModel === null) {
      throw new RoundhouseError('capability_missing', `${this.#settings.name} has no embeddings.`);
    }
    const model = embeddingModel(remoteId);
    const most = (await model.maxEmbeddingsPerCall) ?? inputs.length;
    const vectors: (readonly number[])[] = [];
    let promptTokens: number | null = 0;
    for (let from = 0; from < inputs.length; from += most) {
      const answer = await model.doEmbed({
        values: inputs.slice(from, from + most),
        abortSignal: signal,
        ...(dimensions !== null && { dimensions }),
      });
      vectors.push(...answer.embeddings);
      promptTokens =
        promptTokens === null || answer.usage === undefined ? null : promptTokens + answer.usage.tokens;
    }
    if (vectors.length !== inputs.length) throw cutError({ provider: this.#settings.name });
    return { vectors, promptTokens };
  }

  async listModels(signal: AbortSignal): Promise<readonly RemoteModel[]> {
    const { api } = this.#linked();
    const models = await this.#vendor.listModels(api, signal);
    return detected(this.#detectors, api, models, signal);
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#linked().api.get(this.#vendor.pingPath, signal);
  }

  errorOf(thrown: unknown): RoundhouseError {
    const { name, apiKey, apiKeyFrom } = this.#settings;
    const subject = this.#link?.subject ?? { provider: name, origin: '', apiKey, apiKeyFrom };
    return toProviderError(thrown, subject, this.#ports.clock.nowMs());
  }

  /**
   * Made once, at the first use: settings do not change under a provider.
   * @throws RoundhouseError `config_invalid`, `provider_auth`
   */
  #linked(): Link {
    this.#link ??= this.#connect();
    return this.#link;
  }

  #connect(): Link {
    const { name, kind, baseUrl: written, apiKey, apiKeyFrom, timeoutMs } = this.#settings;
    const { clock, own } = this.#ports;
    const address = written ?? this.#vendor.baseUrl;
    if (address === null)
      throw new RoundhouseError('config_invalid', `providers.${name} in models.yaml needs a baseUrl`);
    const baseUrl = checkedBaseUrl(name, address, own());
    // Another address than the vendor's may be a server that needs none.
    if (apiKey === null && written === null && KEY_VARIABLES[kind] !== null) {
      throw missingKeyError({ provider: name, apiKeyFrom });
    }
    const { origin } = baseUrl;
    const subject: Subject = { provider: name, origin, apiKey, apiKeyFrom };
    const fetch = guardedFetch({
      fetch: this.#ports.fetch,
      clock,
      provider: name,
      origin,
      timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    });
    const headers = apiKey === null ? {} : this.#vendor.headers(apiKey);
    const baseURL = baseUrl.href.replace(/\/$/, '');
    const sdk = this.#vendor.connect({ baseURL, apiKey, fetch });
    // Whoever asks hears of a failed import; that nobody asked yet is no error.
    sdk.catch(() => {});
    return { sdk, api: new Api({ fetch, clock, baseUrl, headers, subject }), subject };
  }
}
