import type { ModelSource } from '../../shared/contract.ts';

/*
 * The configuration in force: models.yaml, the environment, the command line and the defaults, merged and checked.
 * Units are in the names; paths are absolute; every `auto` that needs the machine is still an `auto`.
 */
export interface Settings {
  readonly server: ServerSettings;
  readonly memory: MemorySettings;
  /** In the order of models.yaml, then those found in the models folders. */
  readonly models: readonly ModelSettings[];
  readonly tiers: readonly TierSettings[];
  /** What a model that says nothing is loaded with. */
  readonly defaults: EngineSettings;
  readonly routing: { readonly default: string };
  readonly modelsFolders: readonly string[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly apiKeys: readonly ApiKeySettings[];
  readonly maxQueue: number;
  readonly maxWaitMs: number;
}

export interface ApiKeySettings {
  readonly name: string | null;
  /** Of the key, in lower-case hexadecimal digits: the key itself is not kept. */
  readonly sha256: string;
  readonly admin: boolean;
  /** Requests that it may have under way or waiting; `null` = no limit. */
  readonly maxConcurrent: number | null;
  /** Requests that it may begin in any 60 seconds; `null` = no limit. */
  readonly requestsPerMinute: number | null;
}

export interface MemorySettings {
  readonly budget: BudgetSetting;
  /** Which idle models make room for others. */
  readonly eviction: 'cost-aware' | 'lru';
  readonly maxLoadedModels: number;
  readonly minResidencyMs: number;
  readonly standbyEngines: number;
  /** Disk for states of unloaded models; 0 keeps none. */
  readonly keepPrefixCacheBytes: number;
  readonly keepPrefixCacheOnQuit: boolean;
}

export type BudgetSetting =
  | { readonly kind: 'auto' }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'share'; readonly share: number };

export interface ModelSettings {
  readonly id: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly source: ModelSource;
  /** Loaded at start, never evicted, never idle-unloaded. */
  readonly pinned: boolean;
  /** Loaded at start. */
  readonly preload: boolean;
  /** `null` = never. */
  readonly idleUnloadMs: number | null;
  readonly engine: EngineSettings;
  /** Put before the messages of a chat that has no system message. */
  readonly systemPrompt: string | null;
  readonly sampling: SamplingDefaults;
}

/** What an engine is loaded with; a change holds from the next load. */
export interface EngineSettings {
  /** Tokens one slot can hold. */
  readonly contextSize: number;
  /** Slots: requests that run at once. */
  readonly parallel: number;
  readonly batchSize: number;
  readonly flashAttention: 'auto' | boolean;
  readonly cacheType: 'f16' | 'q8_0' | 'q4_0';
  readonly threads: 'auto' | number;
  readonly gpuLayers: 'max' | number;
  /** A Jinja file to use instead of the model's own template. */
  readonly chatTemplateFile: string | null;
}

/** Used where a request says nothing. `null` = the OpenAI API's default. */
export interface SamplingDefaults {
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly minP: number | null;
  readonly repeatPenalty: number | null;
}

export interface TierSettings {
  readonly name: string;
  readonly models: readonly string[];
}
