import type { RoundhouseError } from '../../shared/errors.ts';
import type { GenerationRequest, StreamPart } from '../../shared/generation.ts';
import type { Embeddings, EmbedOptions } from './backend.ts';
import type { RemoteModel } from './provider.ts';

/**
 * What differs between providers: how one is asked. Limits, times and what becomes of an error are the same for all
 * (`asked-provider.ts`). Everything here may throw anything; `errorOf` makes one of ours of it.
 */
export interface Upstream {
  /**
   * Looks for what is missing before anything can be asked, such as a key.
   * @throws RoundhouseError
   */
  check(): void;
  /** Ends with `finish`, then `usage` where it is known. Its milliseconds do not matter. */
  stream(remoteId: string, request: GenerationRequest, signal: AbortSignal): AsyncIterable<StreamPart>;
  embed(
    remoteId: string,
    inputs: readonly string[],
    options: EmbedOptions,
    signal: AbortSignal,
  ): Promise<Embeddings>;
  listModels(signal: AbortSignal): Promise<readonly RemoteModel[]>;
  /** Asks for something that costs nothing and needs the key. */
  ping(signal: AbortSignal): Promise<void>;
  /** What was thrown by any of these, as one of ours, without the key and the request. */
  errorOf(thrown: unknown): RoundhouseError;
}
