import { dollarsText } from '../../shared/money.ts';
import { MOST_REQUESTS, type UsageFilters, type UsageRequestView } from '../../shared/usage-contract.ts';
import { type CsvValue, csvLine } from './csv.ts';

/*
 * Usage as files, one request a line, the newest first. Without the texts of requests: those stay in the database.
 */

export type ExportFormat = 'csv' | 'jsonl';

/** Asks for one page of requests, as `usage.requests` does. */
export type ReadPage = (page: {
  readonly before?: number;
  readonly limit: number;
  readonly filters: UsageFilters;
}) => Promise<readonly UsageRequestView[]>;

/** The file a piece at a time; the next page is asked for when the last was taken. */
export async function* exportRequests(
  read: ReadPage,
  format: ExportFormat,
  filters: UsageFilters,
): AsyncGenerator<string> {
  if (format === 'csv') yield csvLine(COLUMNS.map(([name]) => name));
  const limit = MOST_REQUESTS;
  let page = await read({ limit, filters });
  for (;;) {
    if (page.length > 0) yield page.map(LINE[format]).join('');
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    page = await read({ before: last.id, limit, filters });
  }
}

const COLUMNS: readonly (readonly [name: string, value: (row: UsageRequestView) => CsvValue])[] = [
  ['id', (row) => row.id],
  ['request_id', (row) => row.requestId],
  ['at', (row) => new Date(row.atMs).toISOString()],
  ['user', (row) => row.user],
  ['key', (row) => row.keyName],
  ['asked', (row) => row.asked],
  ['route', (row) => row.route],
  ['content_type', (row) => row.contentType],
  ['experiment', (row) => row.experiment],
  ['arm', (row) => row.arm],
  ['provider', (row) => row.provider],
  ['model', (row) => row.model],
  ['status', (row) => row.status],
  ['error_code', (row) => row.errorCode],
  ['streamed', (row) => row.streamed],
  ['tries', (row) => row.tryCount],
  ['queue_ms', (row) => row.queueMs],
  ['load_ms', (row) => row.loadMs],
  ['prefill_ms', (row) => row.prefillMs],
  ['first_token_ms', (row) => row.firstTokenMs],
  ['total_ms', (row) => row.totalMs],
  ['prompt_tokens', (row) => row.promptTokens],
  ['cached_tokens', (row) => row.cachedTokens],
  ['cache_write_tokens', (row) => row.cacheWriteTokens],
  ['completion_tokens', (row) => row.completionTokens],
  ['reasoning_tokens', (row) => row.reasoningTokens],
  ['cost_nano_dollars', (row) => row.costNanoDollars],
  // A decimal number is no text, so it is never taken for a formula.
  ['cost_dollars', (row) => (row.costNanoDollars === null ? null : dollarsText(row.costNanoDollars))],
  ['price_version', (row) => row.priceVersion],
];

const LINE: Readonly<Record<ExportFormat, (row: UsageRequestView) => string>> = {
  csv: (row) => csvLine(COLUMNS.map(([, value]) => value(row))),
  jsonl: (row) => `${JSON.stringify(row)}\n`,
};
