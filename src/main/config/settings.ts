import type { Capability, Stage } from '../../shared/capabilities.ts';
import type { ModelSource } from '../../shared/contract.ts';
import type { MockErrorKind, ProviderKind } from '../../shared/provider-kinds.ts';
import type { Budget } from '../../shared/usage-contract.ts';

/*
 * The configuration in force: models.yaml, the environment, the command line and the defaults, merged and checked.
 * Units are in the names; paths are absolute; every `auto` that needs the machine is still an `auto`.
 */
export interface Settings {
  readonly server: ServerSettings;
  readonly memory: MemorySettings;
  /** In the order of models.yaml. */
  readonly providers: readonly ProviderSettings[];
  /** In the order of models.yaml, then those found in the models folders. */
  readonly models: readonly ModelSettings[];
  readonly tiers: readonly TierSettings[];
  /** What a model that says nothing is loaded with. */
  readonly defaults: EngineSettings;
  /** When it is unloaded, if nobody asks for it; `null` = never. */
  readonly idleUnloadMs: number | null;
  readonly routing: { readonly default: string };
  readonly modelsFolders: readonly string[];
  readonly budgets: readonly Budget[];
  /** How long rows of usage are kept; `null` = for ever. */
  readonly usageRetentionMs: number | null;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Whether the texts of prompts and answers are kept with their rows of usage. */
  readonly logContent: boolean;
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

/** A service that runs models. */
export interface ProviderSettings {
  readonly name: string;
  readonly kind: ProviderKind;
  /** Other names: `gpt/gpt-4.1` is `openai/gpt-4.1` when `gpt` is one of `openai`. */
  readonly aliases: readonly string[];
  /** `null` = the kind's own. */
  readonly baseUrl: string | null;
  /** Never logged, shown or written. `null` = not in models.yaml: it may be among the secrets. */
  readonly apiKey: string | null;
  /** What to set when there is no key: `OPENAI_API_KEY`. `null` where none is needed. */
  readonly apiKeyFrom: string | null;
  /** Whether the provider is asked which models it has. */
  readonly discover: boolean;
  /** Until the first part, and between any two. */
  readonly timeoutMs: number;
  readonly limits: { readonly requestsPerMinute: number | null; readonly tokensPerMinute: number | null };
  /** How a `mock` behaves; `null` for every other kind. */
  readonly mock: MockSettings | null;
}

export interface MockSettings {
  /** Before the first part. */
  readonly latencyMs: number;
  readonly tokensPerSecond: number;
  /** Share of requests that fail, 0 to 1. */
  readonly errorRate: number;
  /** In what ways they fail, in turn. */
  readonly errorKinds: readonly MockErrorKind[];
  /** The first whose `when` is part of the last message answers; without any it repeats what it was asked. */
  readonly script: readonly { readonly when: string | null; readonly answer: string }[];
  /** Every answer breaks off after so many tokens; `null` = none does. */
  readonly cutAfterTokens: number | null;
}

export type ModelSettings = LocalModelSettings | RemoteModelSettings;

/** What is known of a model wherever it runs. */
interface AnyModelSettings {
  readonly id: string;
  readonly name: string;
  readonly aliases: readonly string[];
  /** `null` = models.yaml does not say: the catalog may. */
  readonly stage: Stage | null;
  /** The name to use instead of a deprecated or retired model. */
  readonly replacement: string | null;
  /** What p95 is held against. */
  readonly latency: { readonly firstTokenMs: number | null; readonly tokensPerSecond: number | null };
  /** What models.yaml says that it can or cannot do, over what was detected. */
  readonly capabilities: CapabilityOverrides;
  readonly optimization: OptimizationNotes;
  /** Put before the messages of a chat that has no system message. */
  readonly systemPrompt: string | null;
  readonly sampling: SamplingDefaults;
}

export type CapabilityOverrides = Readonly<Partial<Record<Capability, 'yes' | 'no'>>>;

export interface OptimizationNotes {
  readonly recommendedFor: readonly string[];
  readonly bestPractices: readonly string[];
  readonly tips: readonly string[];
  readonly pitfalls: readonly string[];
}

/** A model of a provider. */
export interface RemoteModelSettings extends AnyModelSettings {
  readonly kind: 'remote';
  /** The name of its provider, not an alias. */
  readonly provider: string;
  /** What the provider calls it. */
  readonly remoteId: string;
  /** `null` = as the catalog or the provider says. */
  readonly contextSize: number | null;
}

/** A model that runs in an engine of this machine. */
export interface LocalModelSettings extends AnyModelSettings {
  readonly kind: 'local';
  readonly source: ModelSource;
  /** Loaded at start, never evicted, never idle-unloaded. */
  readonly pinned: boolean;
  /** Loaded at start. */
  readonly preload: boolean;
  /** `null` = never. */
  readonly idleUnloadMs: number | null;
  readonly engine: EngineSettings;
}

export function isLocal(model: ModelSettings): model is LocalModelSettings {
  return model.kind === 'local';
}

/** In the order of models.yaml. */
export function localModels({ models }: Pick<Settings, 'models'>): readonly LocalModelSettings[] {
  return models.filter(isLocal);
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
