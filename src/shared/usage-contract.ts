import { z } from 'zod';
import type { ErrorCode } from './errors.ts';

/*
 * What the interface can ask about usage and cost. Money is whole nano-dollars; `null` where a price is not known,
 * never zero. Times are wall times in milliseconds; days, weeks and months are those of the machine's time zone.
 */

export const USAGE_STATUSES = ['ok', 'error', 'cancelled'] as const;
export type UsageStatus = (typeof USAGE_STATUSES)[number];

/** What a request cost in time and tokens; `null` where it did not come that far, or nobody counted. */
export interface UsageFigures {
  /** Waiting for a slot, and for nothing that follows. */
  readonly queueMs: number | null;
  /** Waiting for the model to load; above zero makes the request a cold one. */
  readonly loadMs: number | null;
  readonly prefillMs: number | null;
  readonly promptTokens: number | null;
  /** Of `promptTokens`. */
  readonly cachedTokens: number | null;
  /** Of `promptTokens`. */
  readonly cacheWriteTokens: number | null;
  readonly completionTokens: number | null;
  /** Of `completionTokens`. */
  readonly reasoningTokens: number | null;
  /** From arrival (of the request) or from asking (of a try) to the first token. */
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
  readonly costNanoDollars: number | null;
  /** Of the price that was in force. */
  readonly priceVersion: string | null;
  readonly status: UsageStatus;
  readonly errorCode: ErrorCode | null;
}

/** One attempt to have a request answered by one model. */
export interface UsageTry extends UsageFigures {
  readonly provider: string;
  readonly model: string;
}

/** One request: its times from arrival on, tokens and price version of the try that answered, cost of all its tries. */
export interface UsageRequestView extends UsageFigures {
  /** Ascending in the order in which requests ended. */
  readonly id: number;
  readonly requestId: string;
  /** When it came. */
  readonly atMs: number;
  readonly user: string | null;
  readonly keyName: string | null;
  /** The name that was asked for. */
  readonly asked: string;
  /** Which model that meant, and why, in words. */
  readonly route: string;
  readonly contentType: string | null;
  readonly experiment: string | null;
  readonly arm: string | null;
  /** Of the try that answered, else of the last; `null` when none was made. */
  readonly provider: string | null;
  readonly model: string | null;
  readonly streamed: boolean;
  readonly tryCount: number;
}

export interface UsageDetailView extends UsageRequestView {
  readonly tries: readonly UsageTry[];
  /** Kept only while `logging.content` is on. */
  readonly text: UsageText | null;
}

export interface UsageText {
  readonly prompt: string;
  readonly answer: string;
}

export const COST_KEYS = ['model', 'user', 'content-type', 'provider', 'key'] as const;
export type CostKey = (typeof COST_KEYS)[number];

export interface CostSum {
  /** A request that several models tried counts at each of them, and once in a total. */
  readonly requests: number;
  readonly errors: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Of what has a known price; `null` when nothing of it has. */
  readonly costNanoDollars: number | null;
  /** Tries that answered and whose cost is not known. */
  readonly unpriced: number;
}

export interface CostsView {
  readonly fromMs: number;
  readonly toMs: number;
  /** By local day (`2026-11-21`) and by what was asked for; in the order of days, the dearest first. */
  readonly days: readonly (CostSum & { readonly day: string; readonly key: string | null })[];
  /** Over all days; the dearest first. Empty where only days were asked for. */
  readonly keys: readonly (CostSum & { readonly key: string | null })[];
  readonly total: CostSum;
}

export const LATENCY_WINDOWS = ['1h', '24h', '7d'] as const;
export type LatencyWindow = (typeof LATENCY_WINDOWS)[number];
export const LATENCY_KEYS = ['model', 'provider', 'content-type'] as const;
export type LatencyKey = (typeof LATENCY_KEYS)[number];

/** By the nearest rank, of requests that were answered. `null` while there is none to measure. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface LatencyStats {
  readonly requests: number;
  readonly firstTokenMs: Percentiles | null;
  readonly totalMs: Percentiles | null;
  /** The speed that so many percent of requests reached: p95 is a slow one. */
  readonly tokensPerSecond: Percentiles | null;
}

export interface LatencyRow {
  readonly key: string | null;
  /** The model was there. */
  readonly warm: LatencyStats;
  /** The model was loaded first. */
  readonly cold: LatencyStats;
}

/** Where requests could go for less, with the arithmetic that says so. */
export interface SuggestionView {
  readonly fromModel: string;
  readonly toModel: string;
  /** The whole of it as a sentence. */
  readonly text: string;
  readonly savedNanoDollarsPerMonth: number;
  readonly observedDays: number;
  /** Requests to `fromModel`, and those of them that were small. */
  readonly requests: number;
  readonly smallRequests: number;
  /** Small = fewer tokens than this in, and out. */
  readonly smallTokens: number;
  readonly smallCostNanoDollars: number;
  /** Small requests to `toModel`, and those of them that met its target. */
  readonly localRequests: number;
  readonly localMet: number;
  readonly targetFirstTokenMs: number;
}

/** Whose cost counts: `all`, or one provider's, model's (by id) or user's. */
export type BudgetScope =
  | 'all'
  | { readonly provider: string }
  | { readonly model: string }
  | { readonly user: string };

/** One budget of models.yaml. */
export interface Budget {
  readonly scope: BudgetScope;
  readonly limitNanoDollars: number;
  readonly per: 'day' | 'week' | 'month';
  /** Shares of the limit, ascending: 0.5 is half. */
  readonly alertAt: readonly number[];
  /** What happens to a request that would pass the limit. */
  readonly action: 'warn' | 'block';
}

export interface BudgetView extends Budget {
  readonly periodStartMs: number;
  readonly resetsAtMs: number;
  readonly spentNanoDollars: number;
  /** Reserved by requests that are being answered. */
  readonly inFlightNanoDollars: number;
  /** Of `alertAt`, those reached in this period. */
  readonly alertsRaised: readonly number[];
}

/** Requests as they end; `missed` more ended than are shown. */
export interface UsageEvent {
  readonly type: 'usage';
  readonly rows: readonly UsageRequestView[];
  readonly missed: number;
}

/** Over HTTP a GET has only text. */
const wholeNumber = (min: number, max: number) =>
  z
    .union([
      z.int(),
      z
        .string()
        .regex(/^\d{1,16}$/)
        .transform(Number),
    ])
    .pipe(z.int().min(min).max(max));
const timeMs = wholeNumber(0, 8.64e15);
const name = z.string().min(1).max(512);

/** Each narrows; together all must hold. */
export const usageFiltersSchema = z
  .strictObject({
    requestId: name,
    user: name,
    keyName: name,
    provider: name,
    model: name,
    contentType: name,
    experiment: name,
    status: z.enum(USAGE_STATUSES),
    /** First moment that counts. */
    fromMs: timeMs,
    /** First moment that counts no more. */
    toMs: timeMs,
  })
  .partial();
export type UsageFilters = z.infer<typeof usageFiltersSchema>;

export const MOST_REQUESTS = 500;

interface UsageCallSpec<Input extends z.ZodType, Output> {
  readonly input: Input;
  readonly reads: true;
  /** Never set: carries the output's type. */
  readonly output?: Output;
}

function reads<Output>() {
  return <Input extends z.ZodType>(input: Input): UsageCallSpec<Input, Output> => ({ input, reads: true });
}

/** In the form of `contract.ts`, which takes them into its table. All of them only read. */
export const USAGE_CALLS = {
  /** The newest first; `before` is the last `id` of the page before. A page shorter than `limit` is the last one. */
  'usage.requests': reads<readonly UsageRequestView[]>()(
    z.strictObject({
      before: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
      /** 100 where it is not said. */
      limit: wholeNumber(1, MOST_REQUESTS).optional(),
      filters: usageFiltersSchema.optional(),
    }),
  ),
  'usage.request': reads<UsageDetailView>()(z.strictObject({ id: wholeNumber(1, Number.MAX_SAFE_INTEGER) })),
  /** Without `by` only days. The last 30 days where nothing else is asked for; at most 400. */
  'usage.costs': reads<CostsView>()(
    z.strictObject({
      by: z.enum(COST_KEYS).optional(),
      fromMs: timeMs.optional(),
      toMs: timeMs.optional(),
    }),
  ),
  /** By model over 24 hours where nothing else is asked for. */
  'usage.latency': reads<readonly LatencyRow[]>()(
    z.strictObject({
      window: z.enum(LATENCY_WINDOWS).optional(),
      by: z.enum(LATENCY_KEYS).optional(),
    }),
  ),
  'usage.suggestions': reads<readonly SuggestionView[]>()(z.strictObject({})),
  'usage.budgets': reads<readonly BudgetView[]>()(z.strictObject({})),
} as const;

export type UsageCallName = keyof typeof USAGE_CALLS;
export type UsageCallInput<Name extends UsageCallName> = z.infer<(typeof USAGE_CALLS)[Name]['input']>;
export type UsageCallOutput<Name extends UsageCallName> = NonNullable<(typeof USAGE_CALLS)[Name]['output']>;
