import type Database from 'better-sqlite3';
import type { CostKey, CostSum, CostsView } from '../../../shared/usage-contract.ts';
import { daysOf } from '../periods.ts';
import { createSlices, turn } from './slices.ts';

export interface CostsQuery {
  readonly fromMs: number;
  readonly toMs: number;
  /** `null` = days alone. */
  readonly by: CostKey | null;
}

/** More different ones than this are nobody's table. */
const MOST_KEYS = 200;

interface SumRecord {
  readonly key: string | null;
  readonly requests: number;
  readonly errors: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly costNanoDollars: number;
  readonly priced: number;
  readonly unpriced: number;
}

/*
 * All sums are over tries, so that they agree whatever they are by: a race that was lost costs its own model. A request
 * that came to no try counts as a request without cost.
 */
function sumSql(key: string): string {
  return `SELECT ${key} AS key,
     count(DISTINCT r.id) AS requests,
     count(DISTINCT CASE WHEN r.status = 'error' THEN r.id END) AS errors,
     total(t.prompt_tokens) AS promptTokens,
     total(t.cached_tokens) AS cachedTokens,
     total(t.completion_tokens) AS completionTokens,
     ifnull(sum(t.cost_nano_dollars), 0) AS costNanoDollars,
     count(t.cost_nano_dollars) AS priced,
     count(CASE WHEN t.cost_nano_dollars IS NULL AND t.first_token_ms IS NOT NULL THEN 1 END) AS unpriced
   FROM usage_requests r LEFT JOIN usage_tries t ON t.request = r.id
   WHERE r.at_ms >= ? AND r.at_ms < ?
   GROUP BY 1`;
}

export function createReadCosts(
  database: Database.Database,
  sliceRows: number,
): (query: CostsQuery) => Promise<CostsView> {
  const slices = createSlices(database, sliceRows);
  const statementBy = (key: string) => database.prepare<[number, number], SumRecord>(sumSql(key));
  const statements = {
    day: statementBy('NULL'),
    model: statementBy('ifnull(t.model, r.model)'),
    provider: statementBy('ifnull(t.provider, r.provider)'),
    user: statementBy('r.user'),
    'content-type': statementBy('r.content_type'),
    key: statementBy('r.key_name'),
  } satisfies Record<CostKey | 'day', unknown>;

  return async ({ fromMs, toMs, by }) => {
    const days: (CostSum & { readonly day: string; readonly key: string | null })[] = [];
    const keys = new Map<string | null, Sum>();
    const total = new Sum();
    for (const { day, ...period } of daysOf(fromMs, toMs)) {
      const ofDay = new Map<string | null, Sum>();
      for (const { startMs, endMs } of slices(period)) {
        for (const record of statements.day.all(startMs, endMs)) total.add(record);
        for (const record of statements[by ?? 'day'].all(startMs, endMs)) {
          sumOf(ofDay, record.key).add(record);
          sumOf(keys, record.key).add(record);
        }
        await turn();
      }
      days.push(...dearestFirst(ofDay).map((sum) => ({ day, ...sum })));
    }
    return { fromMs, toMs, days, keys: by === null ? [] : dearestFirst(keys), total: total.view() };
  };
}

class Sum {
  #sum: Omit<SumRecord, 'key'> = NOTHING;

  add(record: SumRecord): void {
    const sum = this.#sum;
    this.#sum = {
      requests: sum.requests + record.requests,
      errors: sum.errors + record.errors,
      promptTokens: sum.promptTokens + record.promptTokens,
      cachedTokens: sum.cachedTokens + record.cachedTokens,
      completionTokens: sum.completionTokens + record.completionTokens,
      costNanoDollars: sum.costNanoDollars + record.costNanoDollars,
      priced: sum.priced + record.priced,
      unpriced: sum.unpriced + record.unpriced,
    };
  }

  view(): CostSum {
    const { priced, costNanoDollars, ...sum } = this.#sum;
    return { ...sum, costNanoDollars: priced === 0 && sum.unpriced > 0 ? null : costNanoDollars };
  }
}

const NOTHING: Omit<SumRecord, 'key'> = {
  requests: 0,
  errors: 0,
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  costNanoDollars: 0,
  priced: 0,
  unpriced: 0,
};

function sumOf(sums: Map<string | null, Sum>, key: string | null): Sum {
  const known = sums.get(key);
  if (known) return known;
  const sum = new Sum();
  sums.set(key, sum);
  return sum;
}

function dearestFirst(
  sums: ReadonlyMap<string | null, Sum>,
): readonly (CostSum & { readonly key: string | null })[] {
  return [...sums]
    .map(([key, sum]) => ({ key, ...sum.view() }))
    .toSorted((a, b) => (b.costNanoDollars ?? -1) - (a.costNanoDollars ?? -1) || b.requests - a.requests)
    .slice(0, MOST_KEYS);
}
