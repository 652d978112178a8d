import { describe, expect, it } from 'vitest';
import { fakeSum } from '../../../test/fakes/fake-costs.ts';
import { fakeBudgets } from '../../../test/fakes/fake-usage.ts';
import type { BudgetView } from '../../shared/usage-contract.ts';
import { describeBudget, formatSum, scopeWords, unpricedWords } from './describe-cost.ts';

const DOLLAR = 1_000_000_000;

it.each<[string, string | null, Partial<ReturnType<typeof fakeSum>>]>([
  ['$1.50', null, { costNanoDollars: 1.5 * DOLLAR }],
  ['$0.00', null, { costNanoDollars: 0 }],
  ['price not known', null, { costNanoDollars: null, unpriced: 4 }],
  ['$1.50', 'and 1 answer whose price is not known', { costNanoDollars: 1.5 * DOLLAR, unpriced: 1 }],
])('a sum costs %s %s', (text, aside, changes) => {
  const sum = { ...fakeSum(0), ...changes };
  expect(formatSum(sum)).toBe(text);
  expect(unpricedWords(sum)).toBe(aside);
});

describe('a budget in words', () => {
  const [budget] = fakeBudgets(0);
  it.each<[string, Partial<BudgetView>]>([
    ['within its limit', { spentNanoDollars: 0, alertsRaised: [] }],
    ['has reached 90 %', { alertsRaised: [0.5, 0.9] }],
    ['over its limit: nothing is refused', { spentNanoDollars: 60 * DOLLAR }],
    ['spent: requests are refused', { spentNanoDollars: 60 * DOLLAR, action: 'block' }],
    // What is in flight is promised: the next request is refused as if it were spent.
    ['spent: requests are refused', { inFlightNanoDollars: 60 * DOLLAR, action: 'block' }],
  ])('%s', (text, changes) => {
    if (budget === undefined) throw new Error('there is no budget');
    expect(describeBudget({ ...budget, ...changes }).text).toBe(text);
  });

  it('says for whom it is', () => {
    expect(scopeWords('all').name).toBe('Everything');
    expect(scopeWords({ provider: 'openai' })).toEqual({ name: 'openai', kind: 'provider' });
    expect(scopeWords({ model: 'sonnet' })).toEqual({ name: 'sonnet', kind: 'model' });
    expect(scopeWords({ user: 'ada' })).toEqual({ name: 'ada', kind: 'user' });
  });
});
