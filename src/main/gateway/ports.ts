import type { AppApi, ModelView } from '../../shared/contract.ts';
import type { GenerationRequest, StreamPart } from '../../shared/generation.ts';
import type { UsageFilters } from '../../shared/usage-contract.ts';
import type { RequiredCapability } from '../routing/required-capabilities.ts';

/** What the port needs from the rest of the app. `app.ts` fills it; tests fill it with fakes. */
export interface GatewayPorts {
  readonly api: AppApi;
  readonly settings: GatewaySettings;
  /** All models, in the order of models.yaml. Never wakes one. */
  models(): readonly ModelView[];
  /**
   * Names the model for what a request asked for: an id, an alias, `tier:NAME`, `auto` or `null`.
   * @param requires what the model must be able to do
   * @throws RoundhouseError `model_not_found` with the nearest names, and where no model that was meant can be asked
   */
  route(asked: string | null, requires: readonly RequiredCapability[]): Route;
  /** Starts waiting for the model, then generating. Failures come as an `error` part, never as an exception. */
  generate(route: Route, request: GenerationRequest, signal: AbortSignal, caller: Caller): Generation;
  /**
   * One vector for each of `inputs`, in their order. Rejects with what went wrong, also when `signal` fires.
   */
  embed(
    route: Route,
    inputs: readonly string[],
    options: EmbedOptions,
    signal: AbortSignal,
    caller: Caller,
  ): Promise<Embeddings>;
  /** What Prometheus reads, at this moment. */
  metrics(): { readonly contentType: string; readonly text: string };
  /** Usage as a file, a piece at a time. */
  exportUsage(format: 'csv' | 'jsonl', filters: UsageFilters): AsyncIterable<string>;
  /** False while starting or stopping: `/health` says 503 then. */
  serving(): boolean;
  readonly adminToken: string;
  readonly uploads: UploadPort;
  /** Folder of the built interface, or `null` where there is none to serve. */
  readonly interfaceDir: string | null;
}

/** Where model files go that come over the port. */
export interface UploadPort {
  /**
   * Keeps the file; when it cannot be received whole, nothing of it. Consumes `body` once, and leaves it early when the
   * rest is of no use.
   * @returns the absolute path of what was kept
   * @throws RoundhouseError `gguf_invalid`, `payload_too_large`; what `body` throws, and why `signal` was fired
   */
  receive(
    file: {
      /** As the sender calls it; anything at all. */
      readonly name: string;
      /** `null` when the sender did not say. */
      readonly sizeBytes: number | null;
      readonly body: AsyncIterable<Uint8Array>;
    },
    signal: AbortSignal,
  ): Promise<{ readonly path: string }>;
}

/** Read at each request, so that an edited models.yaml holds at once. */
export interface GatewaySettings {
  current(): {
    readonly allowedHosts: readonly string[];
    readonly allowedOrigins: readonly string[];
    readonly apiKeys: readonly ApiKey[];
  };
}

export interface ApiKey {
  readonly name: string | null;
  /** Of the key, in lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly admin: boolean;
  /** Requests for answers that it may have under way or waiting; `null` = no limit. */
  readonly maxConcurrent: number | null;
  /** Requests for answers that it may begin in any 60 seconds; `null` = no limit. */
  readonly requestsPerMinute: number | null;
}

export interface Route {
  readonly asked: string;
  readonly modelId: string;
  readonly reason: string;
  /** What whoever asked should know of the model: that it is deprecated, that nothing is known of it. */
  readonly warnings?: readonly string[] | undefined;
}

export interface Caller {
  readonly requestId: string;
  readonly keyName: string | null;
  /** Whom the request is for: as its body says, else its header, else the name of its API key. */
  readonly user: string | null;
  /** What the request is about, where it says so. */
  readonly contentType: string | null;
  /** Whether the answer is sent as it comes. */
  readonly streamed: boolean;
}

export interface EmbedOptions {
  /** Length of the vectors; `null` = the model's own. */
  readonly dimensions: number | null;
}

export interface Embeddings {
  readonly vectors: readonly ArrayLike<number>[];
  /** `null` where nobody counted. */
  readonly promptTokens: number | null;
}

export interface Generation {
  /** Consumed once. Leaving the loop early aborts the generation and frees its slot. */
  readonly parts: AsyncIterable<StreamPart>;
  /** Where the time went so far. `waitMs` = queue + load, `backendMs` = engine, from asking it to its first part. */
  timing(): { readonly waitMs: number; readonly backendMs: number };
}
