import { z } from 'zod';
import type { CapabilityMatrix, Stage } from './capabilities.ts';
import { type StreamPart, samplingSchema, textMessageSchema } from './generation.ts';
import { CACHE_TYPES, MODEL_LIMITS, type SizeLimit } from './model-limits.ts';
import type { ModelState } from './model-state.ts';
import {
  type OptimizationNotesView,
  PROVIDER_CALLS,
  type PriceView,
  type ProviderView,
} from './provider-contract.ts';
import { PROVIDER_KINDS } from './provider-kinds.ts';
import { USAGE_CALLS, type UsageEvent } from './usage-contract.ts';

/*
 * Everything the interface can ask of the app and everything the app tells it, in one table. Both transports
 * (Electron IPC, HTTP under /admin) and both ends of each are derived from it.
 *
 * A client asks once for a snapshot and then applies events; on a broken connection it starts again with a snapshot.
 */

/** Where a model's weights come from. */
export type ModelSource =
  | { readonly kind: 'builtin'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string };

/** What one engine's memory is made of, in bytes. */
export interface MemoryLinesView {
  /** The model's tensors. */
  readonly weightsBytes: number;
  /** Keys and values (or recurrent state) of all slots. */
  readonly cacheBytes: number;
  /** What computing one batch needs. */
  readonly buffersBytes: number;
  /** The process itself, with the vocabulary's tables. */
  readonly overheadBytes: number;
}

/** What a model holds: said by the system (`measured…`), and worked out before it was loaded (`predicted…`). */
export interface ModelMemory {
  readonly predictedBytes: number | null;
  readonly measuredBytes: number | null;
  readonly predicted: MemoryLinesView | null;
  /** The measured total, split in the proportions of llama.cpp's own buffers. */
  readonly measured: MemoryLinesView | null;
}

export interface ModelView {
  readonly id: string;
  /** What people call it; the id when nothing better is known. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly tiers: readonly string[];
  /** Where it runs. A remote one is never loaded: its state, slots and memory say nothing. */
  readonly kind: 'local' | 'remote';
  /** The provider of a remote model, and what that calls it; `null` for a local one. */
  readonly provider: string | null;
  readonly remoteId: string | null;
  /** `null` for a remote one. */
  readonly source: ModelSource | null;
  /** Size of the file(s) on disk; `null` when the file cannot be read. */
  readonly fileBytes: number | null;
  /** Tokens one slot holds; `slots` requests run at once. `null` where a provider does not say. */
  readonly contextSize: number | null;
  readonly slots: number;
  readonly pinned: boolean;
  readonly state: ModelState;
  readonly memory: ModelMemory;
  readonly activeRequests: number;
  readonly queuedRequests: number;
  /** Of the last finished request; `null` before the first. */
  readonly lastTokensPerSecond: number | null;
  readonly lastFirstTokenMs: number | null;
  /** How long its last load took; `null` before the first. */
  readonly lastLoadMs: number | null;
  /** Wall time at which it will be unloaded if nobody asks for it; `null` while busy, pinned or not resident. */
  readonly idleUnloadAtMs: number | null;
  /** Why it cannot be loaded now, in words for the user; `null` when nothing is known to be wrong. */
  readonly problem: string | null;
  readonly stage: Stage;
  /** The name to use instead of a deprecated or retired model. */
  readonly replacement: string | null;
  readonly capabilities: CapabilityMatrix;
  readonly notes: OptimizationNotesView;
  /** `null` where it is not known; what runs here has none. */
  readonly price: PriceView | null;
  /** What p95 is held against. */
  readonly latencyTarget: LatencyTargetView;
  /** An address. */
  readonly documentation: string | null;
}

/** `null` where nothing is asked for. */
export interface LatencyTargetView {
  /** From arrival, a load included. */
  readonly firstTokenMs: number | null;
  readonly tokensPerSecond: number | null;
}

/** What loading a model would do now; asking changes nothing. */
export interface PlanView {
  readonly outcome: 'resident' | 'fits' | 'evicts' | 'waits' | 'never';
  readonly neededBytes: number;
  readonly freeBytes: number;
  readonly budgetBytes: number;
  /** What would be unloaded, for `evicts`. */
  readonly victims: readonly PlanVictim[];
  /** The same as a sentence with its numbers. */
  readonly text: string;
}

export interface PlanVictim {
  readonly id: string;
  readonly bytes: number;
  readonly idleMs: number;
  /** How long it takes to come back; `null` while it was never loaded here. */
  readonly reloadMs: number | null;
}

/** Settings that decide how much memory a model takes. */
export interface MemorySettingsView {
  readonly contextSize: number;
  readonly parallel: number;
  readonly batchSize: number;
  readonly cacheType: (typeof CACHE_TYPES)[number];
}

/** What a GGUF file says of itself and what it would take. */
export interface EstimateView {
  readonly path: string;
  readonly fileBytes: number;
  /** What it would be registered as. */
  readonly suggestedId: string;
  /** Under which id this file is registered already. */
  readonly registeredAs: string | null;
  readonly name: string | null;
  readonly architecture: string;
  /** As people call it: `Q4_K_M`. */
  readonly quantization: string;
  readonly parameters: number;
  readonly trainedContextSize: number | null;
  readonly settings: MemorySettingsView;
  readonly predicted: MemoryLinesView;
  readonly totalBytes: number;
  /** For each cache type, with the other settings as they are: total = base + perContextToken × contextSize. */
  readonly lines: Readonly<
    Record<
      MemorySettingsView['cacheType'],
      { readonly baseBytes: number; readonly bytesPerContextToken: number }
    >
  >;
  /** Whether the prediction was corrected by measuring this model on this machine; until then 10 % more is reserved. */
  readonly learned: boolean;
  /** The largest settings that fit the budget by themselves; `null` when none do. */
  readonly fit: (MemorySettingsView & { readonly totalBytes: number }) | null;
  readonly plan: PlanView;
}

/** How hard pressed the system is for memory: at `warn` idle models go one by one, at `critical` all at once. */
export type PressureLevel = 'normal' | 'warn' | 'critical';

export interface MemoryView {
  readonly totalBytes: number;
  /** Held by the system and other programs. */
  readonly otherBytes: number;
  /** What the system could give without swapping; `null` while that is not known. */
  readonly availableBytes: number | null;
  readonly pressure: PressureLevel;
  readonly budgetBytes: number;
  /** Promised to engines, resident and loading, and to standby processes: what the budget is held against. */
  readonly reservedBytes: number;
  /** How much that is above the budget; 0 when it is not. Nothing is loaded meanwhile. */
  readonly overrunBytes: number;
  readonly standbyBytes: number;
  readonly maxLoadedModels: number;
  /** Disk that holds what unloaded models had read of conversations; `null` while nothing is kept. */
  readonly prefixCache: { readonly bytes: number; readonly limitBytes: number } | null;
}

/** One decision of the scheduler, as a sentence with its numbers. */
export interface DecisionView {
  readonly id: number;
  readonly atMs: number;
  readonly modelId: string | null;
  readonly text: string;
}

/** One thing that is wrong with models.yaml: `file:line`, what it is, what to write instead. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number | null;
  readonly message: string;
}

/** A key of the configuration, with every place that says something of it. */
export interface ExplainedKey {
  /** As problems write it: `models."Mistral 7B".file`. */
  readonly key: string;
  /** The first is in force; none when nothing sets the key. */
  readonly layers: readonly ExplainedLayer[];
}

export interface ExplainedLayer {
  /** As it is written there; never a key that opens something. */
  readonly value: unknown;
  /** `environment ROUNDHOUSE_SERVER_PORT`, `/data/models.yaml:14`, `default`. */
  readonly from: string;
}

export interface ServerView {
  readonly version: string;
  readonly shell: 'desktop' | 'headless';
  /** Base of the API without `/v1`: `http://127.0.0.1:4141`. */
  readonly url: string;
  readonly machine: string;
  readonly dataDir: string;
  readonly configFile: string;
  /** What is wrong with models.yaml, whose last good version is in force then, and with files of the catalog. */
  readonly configProblems: readonly ConfigProblem[];
}

export interface Snapshot {
  readonly server: ServerView;
  readonly models: readonly ModelView[];
  readonly providers: readonly ProviderView[];
  readonly memory: MemoryView;
  /** Newest last, at most the last hundred. */
  readonly decisions: readonly DecisionView[];
  /** The name that `auto` stands for, e.g. `tier:default`. */
  readonly defaultModel: string;
  readonly tiers: readonly string[];
}

export type AppEvent =
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly type: 'model'; readonly model: ModelView }
  | { readonly type: 'memory'; readonly memory: MemoryView }
  | { readonly type: 'decision'; readonly decision: DecisionView }
  | { readonly type: 'provider'; readonly provider: ProviderView }
  | UsageEvent;

const nothing = z.strictObject({});
const modelRef = z.strictObject({ id: z.string().min(1).max(512) });

const registeredModel = z.strictObject({
  id: z.string().min(1).max(128),
  name: z.string().min(1).max(200).optional(),
  aliases: z.array(z.string().min(1).max(128)).max(16).optional(),
  replace: z.boolean().optional(),
});

const sizeSchema = ({ min, max }: SizeLimit) => z.int().min(min).max(max);

const memorySettingsSchema = z
  .strictObject({
    contextSize: sizeSchema(MODEL_LIMITS.contextSize),
    parallel: sizeSchema(MODEL_LIMITS.parallel),
    batchSize: sizeSchema(MODEL_LIMITS.batchSize),
    cacheType: z.enum(CACHE_TYPES),
  })
  .partial();

export const chatInputSchema = z.strictObject({
  model: z.string().min(1).max(512),
  messages: z.array(textMessageSchema).min(1).max(1000),
  maxTokens: z.int().min(1).nullable(),
  sampling: samplingSchema.partial(),
});

/** What a call takes (checked at run time), what it gives, and whether it only reads (then HTTP also allows GET). */
export interface CallSpec<Input extends z.ZodType, Output> {
  readonly input: Input;
  readonly reads: boolean;
  /** Never set: carries the output's type. */
  readonly output?: Output;
}

function call<Output>() {
  return <Input extends z.ZodType>(input: Input, options: { reads: boolean }): CallSpec<Input, Output> => ({
    input,
    reads: options.reads,
  });
}

export const CALLS = {
  'app.snapshot': call<Snapshot>()(nothing, { reads: true }),
  'models.list': call<readonly ModelView[]>()(nothing, { reads: true }),
  /** Resolves when the model is ready; rejects with the reason when it cannot be. */
  'models.load': call<ModelView>()(modelRef, { reads: false }),
  /** Waits for running requests to end, then unloads. */
  'models.unload': call<ModelView>()(modelRef, { reads: false }),
  'models.unloadAll': call<readonly ModelView[]>()(nothing, { reads: false }),
  /** Registers a GGUF where it lies and writes it into models.yaml. */
  'models.add': call<ModelView>()(
    z.strictObject({
      path: z.string().min(1).max(4096),
      id: z.string().min(1).max(128).optional(),
      settings: memorySettingsSchema.optional(),
    }),
    { reads: false },
  ),
  /** Reads a file's header, out of process, and works out what it would take. Settings left out are the defaults. */
  'models.estimate': call<EstimateView>()(
    z.strictObject({ path: z.string().min(1).max(4096), settings: memorySettingsSchema.optional() }),
    { reads: true },
  ),
  /** What loading a registered model would do now. */
  'models.plan': call<PlanView>()(modelRef, { reads: true }),
  /** Keeps a model loaded, or no longer; written into models.yaml. */
  'models.pin': call<ModelView>()(modelRef.extend({ pinned: z.boolean() }), { reads: false }),
  /** Where the values of a key, or of all below a section, come from: `server.port`, `models.demo`. */
  'config.explain': call<readonly ExplainedKey[]>()(z.strictObject({ key: z.string().min(1).max(1024) }), {
    reads: true,
  }),
  'decisions.list': call<readonly DecisionView[]>()(nothing, { reads: true }),
  /** Registers a model at run time, in no file: it is gone with the app. `replace` puts it in the place of such a one. */
  'registry.registerModel': call<ModelView>()(
    z.union([
      registeredModel.extend({ path: z.string().min(1).max(4096) }),
      registeredModel.extend({
        provider: z.string().min(1).max(128),
        remoteId: z.string().min(1).max(256),
        contextSize: z.int().min(1).optional(),
      }),
    ]),
    { reads: false },
  ),
  /** By its id or an alias. Requests that have begun end in their own time. */
  'registry.unregisterModel': call<readonly ModelView[]>()(modelRef, { reads: false }),
  /** As `registry.registerModel`, for a provider; its key stays in memory. */
  'registry.registerProvider': call<ProviderView>()(
    z.strictObject({
      name: z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/),
      kind: z.enum(PROVIDER_KINDS),
      baseUrl: z.string().max(2048).optional(),
      apiKey: z.string().min(1).max(512).optional(),
      aliases: z.array(z.string().min(1).max(64)).max(16).optional(),
      replace: z.boolean().optional(),
    }),
    { reads: false },
  ),
  'registry.unregisterProvider': call<readonly ProviderView[]>()(
    z.strictObject({ name: z.string().min(1).max(128) }),
    { reads: false },
  ),
  ...PROVIDER_CALLS,
  ...USAGE_CALLS,
} as const;

/** Calls that answer with a stream of parts. */
export const STREAMS = {
  'chat.generate': { input: chatInputSchema },
} as const;

export type CallName = keyof typeof CALLS;
export type CallInput<Name extends CallName> = z.infer<(typeof CALLS)[Name]['input']>;
export type CallOutput<Name extends CallName> = NonNullable<(typeof CALLS)[Name]['output']>;

export type StreamName = keyof typeof STREAMS;
export type StreamInput<Name extends StreamName> = z.infer<(typeof STREAMS)[Name]['input']>;

/** The app as its interface sees it. Errors are `RoundhouseError`. */
export interface AppApi {
  call<Name extends CallName>(name: Name, input: CallInput<Name>): Promise<CallOutput<Name>>;
  /** The parts of an answer. Ends early when `signal` fires; failures come as an `error` part. */
  stream<Name extends StreamName>(
    name: Name,
    input: StreamInput<Name>,
    signal: AbortSignal,
  ): AsyncIterable<StreamPart>;
  /** Calls `listener` with a snapshot at once, then with each change, until disposed. */
  subscribe(listener: (event: AppEvent) => void): Disposable;
}

export function isCallName(name: string): name is CallName {
  return Object.hasOwn(CALLS, name);
}

export function isStreamName(name: string): name is StreamName {
  return Object.hasOwn(STREAMS, name);
}
