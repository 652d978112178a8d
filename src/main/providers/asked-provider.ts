import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { GenerationRequest, StreamPart } from '../../shared/generation.ts';
import type { ProviderSettings } from '../config/settings.ts';
import type { Embeddings, EmbedOptions, Generation, Timing } from './backend.ts';
import type { Provider, ProviderHealth, RemoteModel } from './provider.ts';
import { RateLimiter } from './rate-limiter.ts';
import type { RateUse } from './rate-window.ts';
import { estimatedTokens } from './token-estimate.ts';
import type { Upstream } from './upstream.ts';

/** Nobody waits longer to hear whether a provider is there. */
const HEALTH_TIMEOUT_MS = 10_000;
/** Of English text. */
const CHARACTERS_PER_TOKEN = 4;

/** What is the same for all providers: their limits, how long things took, and what becomes of an error. */
export class AskedProvider implements Provider {
  readonly name: string;
  readonly kind: ProviderSettings['kind'];
  readonly #upstream: Upstream;
  readonly #clock: Clock;
  readonly #limiter: RateLimiter;
  readonly #closed = new AbortController();

  constructor({ name, kind, limits }: ProviderSettings, upstream: Upstream, clock: Clock) {
    this.name = name;
    this.kind = kind;
    this.#upstream = upstream;
    this.#clock = clock;
    this.#limiter = new RateLimiter(name, limits, clock);
  }

  generate(remoteId: string, request: GenerationRequest, signal: AbortSignal): Generation {
    const timing = { waitMs: 0, loadMs: 0, backendMs: 0 };
    return { parts: this.#parts(remoteId, request, signal, timing), timing: () => ({ ...timing }) };
  }

  async embed(
    remoteId: string,
    inputs: readonly string[],
    options: EmbedOptions,
    signal: AbortSignal,
  ): Promise<Embeddings> {
    return this.#asked(signal, async (asked) => {
      const characters = inputs.reduce((sum, input) => sum + input.length, 0);
      this.#upstream.check();
      const turn = await this.#limiter.enter(Math.ceil(characters / CHARACTERS_PER_TOKEN), asked);
      const answer = await this.#upstream.embed(remoteId, inputs, options, asked);
      if (answer.promptTokens !== null) turn.took(answer.promptTokens);
      return answer;
    });
  }

  async listModels(signal: AbortSignal): Promise<readonly RemoteModel[]> {
    return this.#asked(signal, (asked) => this.#upstream.listModels(asked));
  }

  async health(signal: AbortSignal): Promise<ProviderHealth> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    using _timer = this.#clock.after(HEALTH_TIMEOUT_MS, () =>
      reject(
        new RoundhouseError(
          'provider_timeout',
          `${this.name} did not answer within ${HEALTH_TIMEOUT_MS / 1000} s`,
        ),
      ),
    );
    const ended = new AbortController();
    const startMs = this.#clock.monotonicMs();
    const health = (status: ProviderHealth['status'], message: string | null): ProviderHealth => ({
      status,
      checkedAtMs: this.#clock.nowMs(),
      latencyMs: status === 'down' ? null : this.#clock.monotonicMs() - startMs,
      message,
    });
    try {
      const asked = AbortSignal.any([signal, ended.signal]);
      await Promise.race([this.#asked(asked, (own) => this.#upstream.ping(own)), late]);
      return health('ok', null);
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = RoundhouseError.from(error);
      return health(STATUS[code] ?? 'down', message);
    } finally {
      ended.abort();
    }
  }

  limits(): RateUse {
    return this.#limiter.use();
  }

  [Symbol.dispose](): void {
    this.#closed.abort(
      new RoundhouseError('shutting_down', `${this.name} is not asked any more; try again.`),
    );
  }

  async *#parts(
    remoteId: string,
    request: GenerationRequest,
    signal: AbortSignal,
    timing: { -readonly [Key in keyof Timing]: Timing[Key] },
  ): AsyncGenerator<StreamPart> {
    const left = new AbortController();
    const asked = AbortSignal.any([signal, left.signal, this.#closed.signal]);
    const arrivedMs = this.#clock.monotonicMs();
    try {
      this.#upstream.check();
      const turn = await this.#limiter.enter(estimatedTokens(request), asked);
      const beganMs = this.#clock.monotonicMs();
      timing.waitMs = beganMs - arrivedMs;
      let firstMs: number | null = null;
      for await (const part of this.#upstream.stream(remoteId, request, asked)) {
        const nowMs = this.#clock.monotonicMs();
        firstMs ??= nowMs;
        timing.backendMs = firstMs - beganMs;
        if (part.type === 'usage') {
          turn.took(part.promptTokens + part.completionTokens);
          yield { ...part, prefillMs: firstMs - beganMs, decodeMs: nowMs - firstMs };
        } else {
          yield part;
        }
      }
    } catch (error) {
      yield { type: 'error', error: this.#errorOf(error, asked).toJSON() };
    } finally {
      // Whoever leaves in the middle wants no more of it.
      left.abort();
    }
  }

  async #asked<Answer>(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const asked = AbortSignal.any([signal, this.#closed.signal]);
    try {
      asked.throwIfAborted();
      return await ask(asked);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#errorOf(error, asked);
    }
  }

  #errorOf(error: unknown, asked: AbortSignal): RoundhouseError {
    if (!asked.aborted) return this.#upstream.errorOf(error);
    if (this.#closed.signal.aborted) return RoundhouseError.from(this.#closed.signal.reason);
    return new RoundhouseError('cancelled', 'The request was cancelled.');
  }
}

const STATUS: Partial<Record<RoundhouseError['code'], ProviderHealth['status']>> = {
  provider_auth: 'auth',
  provider_rate_limited: 'limited',
  insufficient_quota: 'limited',
};
