import type Database from 'better-sqlite3';
import type {
  UsageDetailView,
  UsageFilters,
  UsageRequestView,
  UsageText,
  UsageTry,
} from '../../../shared/usage-contract.ts';
import { columnOf, SELECT_REQUEST, SELECT_TRY } from './columns.ts';
import { turn } from './slices.ts';

export interface RequestsQuery {
  /** `null` = from the newest on. */
  readonly before: number | null;
  readonly limit: number;
  readonly filters: UsageFilters;
}

/** As the table has it: SQLite knows no booleans. */
type RequestRecord = Omit<UsageRequestView, 'streamed'> & { readonly streamed: number };

/** The newest first. */
export function createReadRequests(
  database: Database.Database,
  sliceRows: number,
): (query: RequestsQuery) => Promise<readonly UsageRequestView[]> {
  const ends = database.prepare<[], { first: number | null; last: number | null }>(
    'SELECT min(id) AS first, max(id) AS last FROM usage_requests',
  );
  const statements = new Map<string, Database.Statement<[object], RequestRecord>>();

  function statementFor(filters: UsageFilters): Database.Statement<[object], RequestRecord> {
    const clauses = Object.keys(filters).map(clauseOf).toSorted();
    const where = ['id < @before', 'id >= @from', ...clauses].join(' AND ');
    const known = statements.get(where);
    if (known) return known;
    const statement = database.prepare<[object], RequestRecord>(
      `${SELECT_REQUEST} FROM usage_requests WHERE ${where} ORDER BY id DESC LIMIT @limit`,
    );
    statements.set(where, statement);
    return statement;
  }

  return async ({ before, limit, filters }) => {
    const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
    const statement = statementFor(given);
    const { first, last } = ends.get() ?? { first: null, last: null };
    if (first === null || last === null) return [];
    const found: UsageRequestView[] = [];
    // What few rows match is looked for a piece at a time.
    for (let below = Math.min(before ?? last + 1, last + 1); below > first; below -= sliceRows) {
      const rest = { before: below, from: below - sliceRows, limit: limit - found.length };
      found.push(...statement.all({ ...given, ...rest }).map(viewOf));
      if (found.length >= limit) break;
      await turn();
    }
    return found;
  };
}

export function createReadRequest(database: Database.Database): (id: number) => UsageDetailView | null {
  const request = database.prepare<[number], RequestRecord>(
    `${SELECT_REQUEST} FROM usage_requests WHERE id = ?`,
  );
  const tries = database.prepare<[number], UsageTry>(
    `${SELECT_TRY} FROM usage_tries WHERE request = ? ORDER BY number`,
  );
  const text = database.prepare<[number], UsageText>(
    'SELECT prompt, answer FROM usage_texts WHERE request = ?',
  );
  return (id) => {
    const record = request.get(id);
    return record ? { ...viewOf(record), tries: tries.all(id), text: text.get(id) ?? null } : null;
  };
}

function viewOf(record: RequestRecord): UsageRequestView {
  return { ...record, streamed: record.streamed !== 0 };
}

function clauseOf(filter: string): string {
  if (filter === 'fromMs') return 'at_ms >= @fromMs';
  if (filter === 'toMs') return 'at_ms < @toMs';
  return `${columnOf(filter)} = @${filter}`;
}
