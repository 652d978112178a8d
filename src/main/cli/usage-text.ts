import { dollarsText, formatDollars } from '../../shared/money.ts';
import type { CostKey, CostSum, CostsView } from '../../shared/usage-contract.ts';
import { csvLine } from '../usage/csv.ts';
import { columns } from './columns.ts';

const number = new Intl.NumberFormat('en');

/** Usage as a table with its total. Ends without a newline. */
export function usageTable(costs: CostsView, by: 'day' | CostKey): string {
  const rows = rowsOf(costs, by);
  if (rows.length === 0)
    return 'There were no requests in that time. The first one: roundhouse run MODEL "Hello"';
  const { unpriced } = costs.total;
  const lines = [...rows, { name: 'total', ...costs.total }].map((row) => [
    row.name,
    number.format(row.requests),
    number.format(row.errors),
    number.format(row.promptTokens),
    number.format(row.cachedTokens),
    number.format(row.completionTokens),
    row.costNanoDollars === null ? '-' : formatDollars(row.costNanoDollars),
    ...(unpriced === 0 ? [] : [number.format(row.unpriced)]),
  ]);
  const head = [by.toUpperCase(), 'REQUESTS', 'FAILED', 'TOKENS IN', 'CACHED', 'TOKENS OUT', 'COST'];
  return [
    columns([...head, ...(unpriced === 0 ? [] : ['NO PRICE'])], lines, 1),
    ...(unpriced === 0 ? [] : ['', 'What has no known price is not in the cost.']),
  ].join('\n');
}

/** The same for a spreadsheet, without the total. */
export function usageCsv(costs: CostsView, by: 'day' | CostKey): string {
  const head = ['requests', 'failed', 'prompt_tokens', 'cached_tokens', 'completion_tokens'];
  return [
    [by.replace('-', '_'), ...head, 'cost_nano_dollars', 'cost_dollars', 'unpriced'],
    ...rowsOf(costs, by).map((row) => [
      row.name,
      row.requests,
      row.errors,
      row.promptTokens,
      row.cachedTokens,
      row.completionTokens,
      row.costNanoDollars,
      row.costNanoDollars === null ? null : dollarsText(row.costNanoDollars),
      row.unpriced,
    ]),
  ]
    .map(csvLine)
    .join('');
}

function rowsOf(costs: CostsView, by: 'day' | CostKey): readonly (CostSum & { readonly name: string })[] {
  if (by === 'day') return costs.days.map((row) => ({ ...row, name: row.day }));
  return costs.keys.map((row) => ({ ...row, name: row.key ?? '(none)' }));
}
