import type { UsageFigures, UsageRequestView, UsageTry } from '../../../shared/usage-contract.ts';

/*
 * Fields as the contract calls them; their columns are the same in snake case. What is written and what is read come
 * from one list.
 */

const FIGURES = [
  'queueMs',
  'loadMs',
  'prefillMs',
  'promptTokens',
  'cachedTokens',
  'cacheWriteTokens',
  'completionTokens',
  'reasoningTokens',
  'firstTokenMs',
  'totalMs',
  'costNanoDollars',
  'priceVersion',
  'status',
  'errorCode',
] as const satisfies readonly (keyof UsageFigures)[];

const REQUEST_FIELDS = [
  'id',
  'requestId',
  'atMs',
  'user',
  'keyName',
  'asked',
  'route',
  'contentType',
  'experiment',
  'arm',
  'provider',
  'model',
  'streamed',
  'tryCount',
  ...FIGURES,
] as const satisfies readonly (keyof UsageRequestView)[];

const TRY_FIELDS = ['provider', 'model', ...FIGURES] as const satisfies readonly (keyof UsageTry)[];

export const INSERT_REQUEST = insertSql('usage_requests', REQUEST_FIELDS);
export const INSERT_TRY = insertSql('usage_tries', ['request', 'number', ...TRY_FIELDS]);
/** To be followed by `FROM`. */
export const SELECT_REQUEST = selectSql(REQUEST_FIELDS);
export const SELECT_TRY = selectSql(TRY_FIELDS);

function insertSql(table: string, fields: readonly string[]): string {
  const values = fields.map((field) => `@${field}`);
  return `INSERT INTO ${table} (${fields.map(columnOf).join(', ')}) VALUES (${values.join(', ')})`;
}

function selectSql(fields: readonly string[]): string {
  return `SELECT ${fields.map((field) => `${columnOf(field)} AS ${field}`).join(', ')}`;
}

export function columnOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
