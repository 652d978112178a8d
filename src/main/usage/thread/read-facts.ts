import type Database from 'better-sqlite3';
import type { ModelFacts, SuggestionFacts } from '../suggest.ts';
import { createSlices, turn } from './slices.ts';

const DAY_MS = 86_400e3;

export interface FactsQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly smallTokens: number;
  /** By model: from arrival to the first token. */
  readonly targetsMs: Readonly<Record<string, number>>;
}

/** What suggestions are made of: by model, of requests that were answered and whose tokens are known. */
export function createReadFacts(
  database: Database.Database,
  sliceRows: number,
): (query: FactsQuery) => Promise<SuggestionFacts> {
  const slices = createSlices(database, sliceRows);
  const first = database
    .prepare<[number, number], number | null>(
      'SELECT min(at_ms) FROM usage_requests WHERE at_ms >= ? AND at_ms < ?',
    )
    .pluck();
  const SMALL = 'r.prompt_tokens < @smallTokens AND r.completion_tokens < @smallTokens';
  const statement = database.prepare<[object], ModelFacts>(
    `SELECT r.model AS model,
       count(*) AS requests,
       count(*) FILTER (WHERE ${SMALL}) AS small,
       ifnull(sum(r.cost_nano_dollars) FILTER (WHERE ${SMALL}), 0) AS smallCostNanoDollars,
       count(*) FILTER (WHERE ${SMALL} AND r.cost_nano_dollars IS NULL) AS smallUnpriced,
       count(*) FILTER (WHERE ${SMALL} AND r.first_token_ms <= target.value) AS smallMet
     FROM usage_requests r LEFT JOIN json_each(@targets) target ON target.key = r.model
     WHERE r.at_ms >= @startMs AND r.at_ms < @endMs AND r.status = 'ok'
       AND r.model IS NOT NULL AND r.prompt_tokens IS NOT NULL AND r.completion_tokens IS NOT NULL
     GROUP BY r.model`,
  );

  return async ({ fromMs, toMs, smallTokens, targetsMs }) => {
    const firstMs = first.get(fromMs, toMs) ?? toMs;
    const targets = JSON.stringify(targetsMs);
    const models = new Map<string, ModelFacts>();
    for (const slice of slices({ startMs: firstMs, endMs: toMs })) {
      for (const facts of statement.all({ ...slice, smallTokens, targets })) {
        models.set(facts.model, added(models.get(facts.model), facts));
      }
      await turn();
    }
    return { smallTokens, observedDays: (toMs - firstMs) / DAY_MS, models: [...models.values()] };
  };
}

function added(sum: ModelFacts | undefined, facts: ModelFacts): ModelFacts {
  if (!sum) return facts;
  return {
    model: sum.model,
    requests: sum.requests + facts.requests,
    small: sum.small + facts.small,
    smallCostNanoDollars: sum.smallCostNanoDollars + facts.smallCostNanoDollars,
    smallUnpriced: sum.smallUnpriced + facts.smallUnpriced,
    smallMet: sum.smallMet + facts.smallMet,
  };
}
