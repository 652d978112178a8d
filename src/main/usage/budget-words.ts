import { formatDollars } from '../../shared/money.ts';
import { formatDuration } from '../../shared/units.ts';
import type { Budget } from '../../shared/usage-contract.ts';
import type { Alert, Refusal, Spending } from './budget-book.ts';
import { momentText } from './periods.ts';

/** Why a request is refused: which budget, the numbers, when it begins anew, and what to do. */
export function refusalText(refusal: Refusal, spending: Spending, nowMs: number): string {
  const { spentNanoDollars, inFlightNanoDollars, period } = refusal;
  const { estimateNanoDollars } = spending;
  const parts = [
    `${formatDollars(spentNanoDollars)} spent`,
    `${formatDollars(inFlightNanoDollars)} in flight`,
    ...(estimateNanoDollars === null ? [] : [`up to ${formatDollars(estimateNanoDollars)} for this request`]),
  ];
  return (
    `${spending.model} is not asked: the budget ${budgetName(refusal.budget)} has no room (${parts.join(', ')}). ` +
    `It begins anew on ${resetText(period.endMs, nowMs)}; ask for a local model, or raise \`budgets\` in models.yaml`
  );
}

/** For the log and the interface. */
export function alertText({ budget, period, share, spentNanoDollars }: Alert, nowMs: number): string {
  const then = budget.action === 'block' ? 'at its limit, requests are refused' : 'nothing is refused';
  return (
    `The budget ${budgetName(budget)} has reached ${Math.round(share * 100)} %: ` +
    `${formatDollars(spentNanoDollars)} spent. It begins anew on ${resetText(period.endMs, nowMs)}; ${then}.`
  );
}

/** `of $10.00 a month for openai` */
function budgetName({ scope, limitNanoDollars, per }: Budget): string {
  const whom = scope === 'all' ? 'everything' : (Object.entries(scope)[0]?.join(' ') ?? '');
  return `of ${formatDollars(limitNanoDollars)} a ${per} for ${whom}`;
}

/** Days are counted beyond two: `2026-12-01 00:00, in 9 days`. */
function resetText(atMs: number, nowMs: number): string {
  const days = Math.floor((atMs - nowMs) / 86_400e3);
  return `${momentText(atMs)}, in ${days > 2 ? `${days} days` : formatDuration(Math.max(0, atMs - nowMs))}`;
}
