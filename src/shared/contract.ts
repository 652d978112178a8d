import { z } from 'zod';
import { chatMessageSchema, type StreamPart, samplingSchema } from './generation.ts';
import type { ModelState } from './model-state.ts';

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

/** Bytes of one ledger line. `measuredBytes` is what the system says, `predictedBytes` what was reserved before loading. */
export interface ModelMemory {
  readonly predictedBytes: number | null;
  readonly measuredBytes: number | null;
}

export interface ModelView {
  readonly id: string;
  /** What people call it; the id when nothing better is known. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly tiers: readonly string[];
  readonly source: ModelSource;
  /** Size of the file(s) on disk; `null` when the file cannot be read. */
  readonly fileBytes: number | null;
  /** Tokens one slot holds; `slots` requests run at once. */
  readonly contextSize: number;
  readonly slots: number;
  readonly pinned: boolean;
  readonly state: ModelState;
  readonly memory: ModelMemory;
  readonly activeRequests: number;
  readonly queuedRequests: number;
  /** Of the last finished request; `null` before the first. */
  readonly lastTokensPerSecond: number | null;
  readonly lastFirstTokenMs: number | null;
  /** Wall time at which it will be unloaded if nobody asks for it; `null` while busy, pinned or not resident. */
  readonly idleUnloadAtMs: number | null;
  /** Why it cannot be loaded now, in words for the user; `null` when nothing is known to be wrong. */
  readonly problem: string | null;
}

export interface MemoryView {
  readonly totalBytes: number;
  /** Held by the system and other programs. */
  readonly otherBytes: number;
  readonly budgetBytes: number;
  /** Promised to engines, resident and loading, and to standby processes: what the budget is held against. */
  readonly reservedBytes: number;
  readonly standbyBytes: number;
  readonly maxLoadedModels: number;
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

export interface ServerView {
  readonly version: string;
  readonly shell: 'desktop' | 'headless';
  /** Base of the API without `/v1`: `http://127.0.0.1:4141`. */
  readonly url: string;
  readonly machine: string;
  readonly dataDir: string;
  readonly configFile: string;
  /** Not empty while the file on disk is broken; the last good configuration is in force then. */
  readonly configProblems: readonly ConfigProblem[];
}

export interface Snapshot {
  readonly server: ServerView;
  readonly models: readonly ModelView[];
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
  | { readonly type: 'decision'; readonly decision: DecisionView };

const nothing = z.strictObject({});
const modelRef = z.strictObject({ id: z.string().min(1).max(512) });

export const chatInputSchema = z.strictObject({
  model: z.string().min(1).max(512),
  messages: z.array(chatMessageSchema).min(1).max(1000),
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
    z.strictObject({ path: z.string().min(1).max(4096), id: z.string().min(1).max(128).optional() }),
    { reads: false },
  ),
  'decisions.list': call<readonly DecisionView[]>()(nothing, { reads: true }),
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
