import { assertNever } from '../../../shared/assert-never.ts';
import type { Clock } from '../../../shared/clock.ts';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { GenerationRequest, StreamPart } from '../../../shared/generation.ts';
import type { MockErrorKind } from '../../../shared/provider-kinds.ts';
import type { MockSettings } from '../../config/settings.ts';
import type { Embeddings, EmbedOptions } from '../backend.ts';
import type { RemoteModel } from '../provider.ts';
import { estimatedTokens } from '../token-estimate.ts';
import type { Upstream } from '../upstream.ts';
import { cutError } from '../upstream-errors.ts';
import { wait } from '../wait.ts';
import { mockAnswer, tokensOf } from './answer.ts';
import { DIMENSIONS, vectorOf } from './vector.ts';

export interface MockPorts {
  readonly clock: Clock;
  /** From 0 up to 1: which requests fail. */
  random(): number;
}

/** What a rate limit of a mock says. */
const RETRY_AFTER_MS = 1000;

/** A provider that answers by itself. The same requests in the same order with the same chance give the same answers. */
export class MockUpstream implements Upstream {
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #settings: MockSettings;
  readonly #ports: MockPorts;
  #failed = 0;

  constructor(name: string, timeoutMs: number, settings: MockSettings, ports: MockPorts) {
    this.#name = name;
    this.#timeoutMs = timeoutMs;
    this.#settings = settings;
    this.#ports = ports;
  }

  check(): void {}

  async *stream(
    _remoteId: string,
    request: GenerationRequest,
    signal: AbortSignal,
  ): AsyncGenerator<StreamPart> {
    const { clock } = this.#ports;
    const { latencyMs, tokensPerSecond, cutAfterTokens, script } = this.#settings;
    // Decided on arrival, so that it does not depend on who waits how long.
    const failure = this.#nextFailure();
    const { parts, reason } = mockAnswer(request, script);
    await this.#until(clock.monotonicMs() + latencyMs, signal);
    if (failure !== null && failure !== 'cut') await this.#fail(failure, signal);
    const most = Math.min(
      cutAfterTokens ?? parts.length,
      failure === 'cut' ? Math.ceil(parts.length / 2) : parts.length,
    );
    const startMs = clock.monotonicMs();
    for (const [index, part] of parts.slice(0, most).entries()) {
      await this.#until(startMs + (index * 1000) / tokensPerSecond, signal);
      yield part;
    }
    if (failure === 'cut' || most < parts.length) throw cutError({ provider: this.#name });
    yield { type: 'finish', reason };
    yield {
      type: 'usage',
      promptTokens: estimatedTokens(request),
      cachedTokens: 0,
      cacheWriteTokens: 0,
      completionTokens: parts.length,
      reasoningTokens: 0,
      prefillMs: 0,
      decodeMs: 0,
    };
  }

  async embed(
    _remoteId: string,
    inputs: readonly string[],
    { dimensions }: EmbedOptions,
    signal: AbortSignal,
  ): Promise<Embeddings> {
    const failure = this.#nextFailure();
    await this.#until(this.#ports.clock.monotonicMs() + this.#settings.latencyMs, signal);
    if (failure !== null) await this.#fail(failure, signal);
    return {
      vectors: inputs.map((input) => vectorOf(input, dimensions ?? DIMENSIONS)),
      promptTokens: inputs.reduce((sum, input) => sum + tokensOf(input).length, 0),
    };
  }

  async listModels(): Promise<readonly RemoteModel[]> {
    return [
      {
        remoteId: 'mock',
        name: 'Mock',
        contextSize: null,
        maxOutputTokens: null,
        capabilities: {
          text_input: 'yes',
          text_output: 'yes',
          image_input: 'yes',
          audio_input: 'yes',
          document_input: 'yes',
          function_calling: 'yes',
          json_mode: 'yes',
          structured_output: 'yes',
          system_messages: 'yes',
          streaming: 'yes',
          embeddings: 'yes',
        },
        ownedBy: 'roundhouse',
        pricing: null,
      },
    ];
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#until(this.#ports.clock.monotonicMs() + this.#settings.latencyMs, signal);
  }

  errorOf(thrown: unknown): RoundhouseError {
    return RoundhouseError.from(thrown);
  }

  /** How the request that has come now fails; `null` when it does not. */
  #nextFailure(): MockErrorKind | null {
    const { errorRate, errorKinds } = this.#settings;
    if (!(this.#ports.random() < errorRate)) return null;
    const kind = errorKinds[this.#failed % errorKinds.length] ?? null;
    this.#failed++;
    return kind;
  }

  async #fail(kind: MockErrorKind, signal: AbortSignal): Promise<never> {
    switch (kind) {
      case 'auth':
        throw new RoundhouseError('provider_auth', `${this.#name} refused our key, as it was told to.`);
      case 'rate-limited':
        throw new RoundhouseError(
          'provider_rate_limited',
          `${this.#name} is asked too much, as it was told to be.`,
          {
            retryAfterMs: RETRY_AFTER_MS,
          },
        );
      case 'server-error':
        throw new RoundhouseError('provider_error', `${this.#name} failed, as it was told to.`);
      case 'garbage':
        throw new RoundhouseError('provider_error', `${this.#name} answered nonsense, as it was told to.`);
      case 'timeout':
        await this.#until(this.#ports.clock.monotonicMs() + this.#timeoutMs, signal);
        throw new RoundhouseError('provider_timeout', `${this.#name} sent nothing, as it was told to.`);
      case 'cut':
        throw cutError({ provider: this.#name });
      default:
        return assertNever(kind);
    }
  }

  async #until(dueMs: number, signal: AbortSignal): Promise<void> {
    await wait(this.#ports.clock, dueMs - this.#ports.clock.monotonicMs(), signal);
  }
}
