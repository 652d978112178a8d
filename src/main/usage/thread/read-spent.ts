import type Database from 'better-sqlite3';
import type { BudgetScope } from '../../../shared/usage-contract.ts';
import type { SumWanted } from '../budget-book.ts';
import { createSlices, turn } from './slices.ts';

/**
 * What the rows of a period cost, for each budget: nano-dollars. Rows that are written while this is being worked out
 * are not in it.
 */
export function createReadSpent(
  database: Database.Database,
  sliceRows: number,
): (wanted: readonly SumWanted[]) => Promise<readonly number[]> {
  const slices = createSlices(database, sliceRows);
  const lastId = database.prepare<[], number>('SELECT ifnull(max(id), 0) FROM usage_requests').pluck();
  const statementFor = (clause: string) =>
    database
      .prepare<[object], number>(
        `SELECT ifnull(sum(t.cost_nano_dollars), 0)
         FROM usage_requests r JOIN usage_tries t ON t.request = r.id
         WHERE r.at_ms >= @startMs AND r.at_ms < @endMs AND r.id <= @lastId AND ${clause}`,
      )
      .pluck();
  const statements = {
    all: statementFor('@name IS NULL'),
    provider: statementFor('t.provider = @name'),
    model: statementFor('t.model = @name'),
    user: statementFor('r.user = @name'),
  };

  return async (wanted) => {
    const last = lastId.get() ?? 0;
    const sums: number[] = [];
    for (const { scope, period } of wanted) {
      const [kind, name] = whose(scope);
      let sum = 0;
      for (const slice of slices(period)) {
        sum += statements[kind].get({ ...slice, name, lastId: last }) ?? 0;
        await turn();
      }
      sums.push(sum);
    }
    return sums;
  };
}

function whose(scope: BudgetScope): ['all', null] | ['provider' | 'model' | 'user', string] {
  if (scope === 'all') return ['all', null];
  if ('provider' in scope) return ['provider', scope.provider];
  return 'model' in scope ? ['model', scope.model] : ['user', scope.user];
}
