import type { Capability } from '../../shared/capabilities.ts';
import type { GenerationRequest } from '../../shared/generation.ts';
import type { ProviderKind } from '../../shared/provider-kinds.ts';
import type { Embeddings, EmbedOptions, Generation } from './backend.ts';
import type { RateUse } from './rate-window.ts';

/** A service that runs models. Disposing it ends what it is being asked. */
export interface Provider extends Disposable {
  readonly name: string;
  readonly kind: ProviderKind;
  /**
   * Asks once: trying again is the caller's. Failures come as an `error` part. There is no `usage` part where the
   * provider does not count, so that nothing is taken for free which only was not counted.
   * @param remoteId what the provider calls the model
   */
  generate(remoteId: string, request: GenerationRequest, signal: AbortSignal): Generation;
  /**
   * @param inputs at least one text
   * @throws RoundhouseError, `capability_missing` where the provider has no embeddings
   */
  embed(
    remoteId: string,
    inputs: readonly string[],
    options: EmbedOptions,
    signal: AbortSignal,
  ): Promise<Embeddings>;
  /**
   * The models that it says it has, with what it says of them. Asks each time.
   * @throws RoundhouseError
   */
  listModels(signal: AbortSignal): Promise<readonly RemoteModel[]>;
  /** Whether it would answer now. Never throws but for the signal's reason. */
  health(signal: AbortSignal): Promise<ProviderHealth>;
  /** What was sent within the last minute, of what models.yaml allows; `null` where nothing is limited. */
  limits(): RateUse;
}

/** What a provider says of one of its models; what it does not say is `null` or left out. */
export interface RemoteModel {
  readonly remoteId: string;
  readonly name: string;
  /** Tokens. */
  readonly contextSize: number | null;
  readonly maxOutputTokens: number | null;
  readonly capabilities: Capabilities;
  readonly ownedBy: string | null;
  readonly pricing: RemotePricing | null;
}

export type Capabilities = Readonly<Partial<Record<Capability, 'yes' | 'no'>>>;

/** US dollars for a million tokens, as decimal numbers; `null` where it does not say. */
export interface RemotePricing {
  readonly input: string | null;
  readonly output: string | null;
  readonly cachedInput: string | null;
  readonly cacheWrite: string | null;
}

export interface ProviderHealth {
  /** `auth` = it refuses our key; `limited` = it is asked too much, or the credit is used up. */
  readonly status: 'ok' | 'auth' | 'down' | 'limited';
  /** Wall time. */
  readonly checkedAtMs: number;
  /** `null` when there was no answer. */
  readonly latencyMs: number | null;
  /** For people; `null` when all is well. */
  readonly message: string | null;
}
