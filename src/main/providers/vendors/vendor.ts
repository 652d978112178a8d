import type { EmbeddingModelV4, LanguageModelV4 } from '@ai-sdk/provider';
import type { DetectorName } from '../../../shared/detector-names.ts';
import type { ProviderKind } from '../../../shared/provider-kinds.ts';
import type { Api } from '../api.ts';
import type { Dialect } from '../call-options.ts';
import type { Fetch } from '../guarded-fetch.ts';
import type { RemoteModel } from '../provider.ts';

/** What is particular to one kind of provider. */
export interface Vendor {
  readonly kind: Exclude<ProviderKind, 'mock'>;
  /** Where its API is; `null` where only the settings can say. */
  readonly baseUrl: string | null;
  readonly dialect: Dialect;
  /** How the key is sent. */
  headers(apiKey: string): Readonly<Record<string, string>>;
  /** Its SDK, which is imported at the first request: it takes longer than all else about a provider together. */
  connect(connection: Connection): Promise<Sdk>;
  /** @throws RoundhouseError, or anything when the answer makes no sense */
  listModels(api: Api, signal: AbortSignal): Promise<readonly RemoteModel[]>;
  /** Below its API: costs nothing, and needs the key where there is one. */
  readonly pingPath: string;
  /** Whether an event of an answer, which its SDK could not read, is one that says nothing of the answer. */
  ignores(error: unknown): boolean;
  /** What is asked beyond the list when the settings name nothing. */
  readonly detectors: readonly DetectorName[];
}

export interface Connection {
  /** Without a slash at its end. */
  readonly baseURL: string;
  readonly apiKey: string | null;
  readonly fetch: Fetch;
}

export interface Sdk {
  languageModel(remoteId: string): LanguageModelV4;
  /** `null` where the provider has no embeddings. */
  readonly embeddingModel: ((remoteId: string) => EmbeddingModelV4) | null;
}

/** For an SDK that would look for a key in the environment if it were given none. */
export const NO_KEY = 'none';

export const ignoresNothing = () => false;

export function bearer(apiKey: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${apiKey}` };
}
