import type { CostSum, CostsView } from '../../src/shared/usage-contract.ts';

/** A request of this cost; `null` where it is not known. */
export function fakeSum(costNanoDollars: number | null): CostSum {
  return {
    requests: 1,
    errors: 0,
    promptTokens: 100,
    cachedTokens: 0,
    completionTokens: 10,
    costNanoDollars,
    unpriced: costNanoDollars === null ? 1 : 0,
  };
}

/** What costs are, by the app, when these were: each a request on a day (`2026-11-21`) of its own. */
export function costsView(
  fromMs: number,
  toMs: number,
  spent: readonly (readonly [day: string, key: string, nanoDollars: number])[],
): CostsView {
  const sums = (rows: typeof spent) =>
    rows.map(([, , nanoDollars]) => fakeSum(nanoDollars)).reduce(add, NOTHING);
  const byKey = (rows: typeof spent) =>
    [...Map.groupBy(rows, ([, key]) => key)]
      .map(([key, ofKey]) => ({ key, ...sums(ofKey) }))
      .toSorted((a, b) => (b.costNanoDollars ?? 0) - (a.costNanoDollars ?? 0));
  const days = [...Map.groupBy(spent, ([day]) => day)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([day, ofDay]) => byKey(ofDay).map((sum) => ({ day, ...sum })));
  return { fromMs, toMs: toMs + 1, days, keys: byKey(spent), total: sums(spent) };
}

const NOTHING: CostSum = { ...fakeSum(0), requests: 0, promptTokens: 0, completionTokens: 0 };

function add(a: CostSum, b: CostSum): CostSum {
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    promptTokens: a.promptTokens + b.promptTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    costNanoDollars: (a.costNanoDollars ?? 0) + (b.costNanoDollars ?? 0),
    unpriced: a.unpriced + b.unpriced,
  };
}
