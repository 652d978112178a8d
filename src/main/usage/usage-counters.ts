import type { UsageDetailView, UsageStatus } from '../../shared/usage-contract.ts';
import { isUnpriced } from './usage-row.ts';

/** Callers can name any model of a provider: beyond so many, the rest is counted together. */
const MOST_MODELS = 200;
const OTHER = '(other)';
const NO_MODEL = '(none)';

/** Upper bounds, in seconds, of the histogram of first tokens. */
export const FIRST_TOKEN_BUCKETS_S = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** What one model did since the app was started. */
export interface ModelCounts {
  readonly requests: Readonly<Record<UsageStatus, number>>;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly costNanoDollars: number;
  readonly unpriced: number;
  /** How many first tokens came within each bucket and no smaller one; one more for those that came later. */
  readonly firstTokenCounts: readonly number[];
  readonly firstTokenSumMs: number;
}

type Counting = { -readonly [Key in keyof ModelCounts]: ModelCounts[Key] } & {
  readonly requests: Record<UsageStatus, number>;
  readonly firstTokenCounts: number[];
};

/** Counts by model, for `/metrics`. A request counts at the model that answered it, tokens and cost at that of each try. */
export class UsageCounters {
  readonly #models = new Map<string, Counting>();

  get models(): ReadonlyMap<string, ModelCounts> {
    return this.#models;
  }

  add(row: UsageDetailView): void {
    const counts = this.#of(row.model ?? NO_MODEL);
    counts.requests[row.status] += 1;
    if (row.firstTokenMs !== null) {
      const seconds = row.firstTokenMs / 1000;
      const bucket = FIRST_TOKEN_BUCKETS_S.findIndex((bound) => seconds <= bound);
      const index = bucket === -1 ? FIRST_TOKEN_BUCKETS_S.length : bucket;
      counts.firstTokenCounts[index] = (counts.firstTokenCounts[index] ?? 0) + 1;
      counts.firstTokenSumMs += row.firstTokenMs;
    }
    for (const one of row.tries) {
      const tried = this.#of(one.model);
      tried.promptTokens += one.promptTokens ?? 0;
      tried.cachedTokens += one.cachedTokens ?? 0;
      tried.cacheWriteTokens += one.cacheWriteTokens ?? 0;
      tried.completionTokens += one.completionTokens ?? 0;
      tried.reasoningTokens += one.reasoningTokens ?? 0;
      tried.costNanoDollars += one.costNanoDollars ?? 0;
      tried.unpriced += Number(isUnpriced(one));
    }
  }

  #of(model: string): Counting {
    const name = this.#models.has(model) || this.#models.size < MOST_MODELS ? model : OTHER;
    const known = this.#models.get(name);
    if (known) return known;
    const counts: Counting = {
      requests: { ok: 0, error: 0, cancelled: 0 },
      promptTokens: 0,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      completionTokens: 0,
      reasoningTokens: 0,
      costNanoDollars: 0,
      unpriced: 0,
      firstTokenCounts: Array.from({ length: FIRST_TOKEN_BUCKETS_S.length + 1 }, () => 0),
      firstTokenSumMs: 0,
    };
    this.#models.set(name, counts);
    return counts;
  }
}
