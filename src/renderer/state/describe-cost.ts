import { formatDollars } from '../../shared/money.ts';
import type { BudgetScope, BudgetView, CostKey, CostSum } from '../../shared/usage-contract.ts';
import type { StateWords } from './describe-model.ts';
import { PRICE_UNKNOWN } from './describe-request.ts';
import { plural } from './format.ts';
import type { ValueFilter } from './request-filters.ts';

export interface CostKeyWords {
  readonly label: string;
  /** What stands for requests that have none. */
  readonly none: string;
  /** The filter that finds these requests; `null` where there is none. */
  readonly filter: ValueFilter | null;
}

export const COST_KEY_WORDS: Readonly<Record<CostKey, CostKeyWords>> = {
  model: { label: 'Model', none: 'no model was reached', filter: 'model' },
  provider: { label: 'Provider', none: 'no provider was reached', filter: 'provider' },
  user: { label: 'User', none: 'nobody named', filter: 'user' },
  key: { label: 'Key', none: 'no key', filter: null },
  'content-type': { label: 'Content type', none: 'none', filter: 'contentType' },
};

/** What a sum costs, as far as prices are known: never nothing because none is. */
export function formatSum({ costNanoDollars }: CostSum): string {
  return costNanoDollars === null ? PRICE_UNKNOWN : formatDollars(costNanoDollars);
}

/** What a sum leaves out; `null` where it is whole, or where nothing of it is known. */
export function unpricedWords({ costNanoDollars, unpriced }: CostSum): string | null {
  if (unpriced === 0 || costNanoDollars === null) return null;
  return `and ${plural(unpriced, 'answer')} whose price is not known`;
}

/** `everything`, `openai`, with what kind of thing that is. */
export function scopeWords(scope: BudgetScope): { readonly name: string; readonly kind: string } {
  if (scope === 'all') return { name: 'Everything', kind: '' };
  if ('provider' in scope) return { name: scope.provider, kind: 'provider' };
  if ('model' in scope) return { name: scope.model, kind: 'model' };
  return { name: scope.user, kind: 'user' };
}

/** How a budget stands. In words: the colour only repeats them. */
export function describeBudget(budget: BudgetView): StateWords {
  const held = budget.spentNanoDollars + budget.inFlightNanoDollars;
  const reached = budget.alertsRaised.length === 0 ? null : Math.max(...budget.alertsRaised);
  if (held >= budget.limitNanoDollars) {
    return budget.action === 'block'
      ? { text: 'spent: requests are refused', tone: 'bad' }
      : { text: 'over its limit: nothing is refused', tone: 'bad' };
  }
  if (reached !== null) return { text: `has reached ${Math.round(100 * reached)} %`, tone: 'busy' };
  return { text: 'within its limit', tone: 'good' };
}

/** `2026-11-21` as people write it: `21 Nov`, in the reader's own form. */
export function formatDay(day: string, form: 'short' | 'long'): string {
  return (form === 'short' ? SHORT_DAY : LONG_DAY).format(new Date(`${day}T00:00:00Z`));
}

const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const LONG_DAY = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'long',
  timeZone: 'UTC',
});
