import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Budget, BudgetScope } from '../../shared/usage-contract.ts';
import { BudgetBook, type Spending, type SumWanted } from './budget-book.ts';
import { periodAt } from './periods.ts';

const zone = process.env.TZ;
beforeEach(() => {
  process.env.TZ = 'Europe/Berlin';
});
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

/** The night in which Berlin's clocks go forward, at the end of a week and close to that of a month. */
const START_MS = Date.UTC(2026, 2, 28, 12);
const NAMES = ['a', 'b'] as const;

const scope: fc.Arbitrary<BudgetScope> = fc.oneof(
  fc.constant('all' as const),
  fc.record({ provider: fc.constantFrom(...NAMES) }),
  fc.record({ model: fc.constantFrom(...NAMES) }),
  fc.record({ user: fc.constantFrom(...NAMES) }),
);
const budget: fc.Arbitrary<Budget> = fc.record({
  scope,
  limitNanoDollars: fc.integer({ min: 0, max: 1000 }),
  per: fc.constantFrom('day' as const, 'week' as const, 'month' as const),
  alertAt: fc.uniqueArray(fc.constantFrom(0.1, 0.5, 0.9, 1), { maxLength: 4 }),
  action: fc.constantFrom('warn' as const, 'block' as const),
});
const budgets = fc.uniqueArray(budget, {
  maxLength: 4,
  selector: ({ scope, per, limitNanoDollars }) => JSON.stringify([scope, per, limitNanoDollars]),
});

type Step =
  | { readonly do: 'ask'; readonly spending: Omit<Spending, 'atMs'>; readonly agoMs: number }
  /** Of those in flight, by share; `cost` as a share of the estimate. */
  | { readonly do: 'settle'; readonly which: number; readonly cost: number | null }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'ask for sums' }
  | { readonly do: 'answer sums' }
  | { readonly do: 'fail sums' }
  | { readonly do: 'configure'; readonly budgets: readonly Budget[] };

const hour = 3600e3;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      agoMs: fc.integer({ min: 0, max: 2 * hour }),
      spending: fc.record({
        provider: fc.constantFrom(...NAMES),
        model: fc.constantFrom(...NAMES),
        user: fc.constantFrom(...NAMES, null),
        estimateNanoDollars: fc.option(fc.integer({ min: 0, max: 300 })),
      }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(20),
      cost: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    }),
  },
  // Also backwards: a clock that is set.
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: -26 * hour, max: 60 * hour }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'ask for sums' } as const) },
  { weight: 2, arbitrary: fc.constant({ do: 'answer sums' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'fail sums' } as const) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('configure' as const), budgets }) },
);

interface Row {
  readonly spending: Spending;
  readonly cost: number;
}

/** What budgets are about, without any of the bookkeeping: every row and everything in flight, summed each time. */
class Naive {
  readonly rows: Row[] = [];
  inFlight: Spending[] = [];

  spent(of: Pick<SumWanted, 'scope' | 'period'>, rows: readonly Row[] = this.rows): number {
    return rows.filter(({ spending }) => this.#counts(of, spending)).reduce((sum, { cost }) => sum + cost, 0);
  }

  taken(of: Pick<SumWanted, 'scope' | 'period'>): number {
    return this.inFlight
      .filter((spending) => this.#counts(of, spending))
      .reduce((sum, { estimateNanoDollars }) => sum + (estimateNanoDollars ?? 0), 0);
  }

  #counts({ scope, period }: Pick<SumWanted, 'scope' | 'period'>, spending: Spending): boolean {
    if (spending.atMs < period.startMs || spending.atMs >= period.endMs) return false;
    if (scope === 'all') return true;
    return Object.entries(scope).every(([name, value]) =>
      Object.entries(spending).some(([key, own]) => key === name && own === value),
    );
  }
}

test('whatever runs at once, what is spent and in flight is what the rows and the requests say', () => {
  fc.assert(
    fc.property(budgets, fc.array(step, { maxLength: 60 }), (first, steps) => {
      const book = new BudgetBook([]);
      const naive = new Naive();
      let nowMs = START_MS;
      let inForce: readonly Budget[] = first;
      const asked: { readonly wanted: SumWanted; readonly sum: number }[] = [];
      const raised: string[] = [];
      book.configure(first, nowMs);

      for (const one of steps) {
        switch (one.do) {
          case 'ask': {
            const spending = { ...one.spending, atMs: nowMs - one.agoMs };
            if (book.refusal(spending, nowMs)) break;
            book.reserve(spending, nowMs);
            naive.inFlight.push(spending);
            break;
          }
          case 'settle': {
            const spending = naive.inFlight[one.which % Math.max(1, naive.inFlight.length)];
            if (!spending) break;
            const { estimateNanoDollars } = spending;
            const cost = one.cost === null ? null : Math.round(one.cost * (estimateNanoDollars ?? 200));
            naive.inFlight = naive.inFlight.filter((other) => other !== spending);
            naive.rows.push({ spending, cost: cost ?? 0 });
            for (const alert of book.settle(spending, cost, nowMs)) {
              raised.push(JSON.stringify([alert.budget, alert.period.startMs, alert.share]));
              expect(alert.spentNanoDollars).toBeGreaterThanOrEqual(
                alert.share * alert.budget.limitNanoDollars,
              );
            }
            expect(book.settle(spending, 1e9, nowMs)).toEqual([]);
            break;
          }
          case 'wait':
            nowMs += one.ms;
            break;
          case 'ask for sums':
            // The rows as they are now; what comes later is not in the sum.
            asked.push(...book.wanted(nowMs).map((wanted) => ({ wanted, sum: naive.spent(wanted) })));
            break;
          case 'answer sums':
            for (const { wanted, sum } of asked.splice(0)) {
              for (const alert of book.summed(wanted, sum))
                raised.push(JSON.stringify([alert.budget, alert.period.startMs, alert.share]));
            }
            break;
          case 'fail sums':
            for (const { wanted } of asked.splice(0)) book.notSummed(wanted);
            break;
          case 'configure':
            inForce = one.budgets;
            book.configure(one.budgets, nowMs);
            break;
        }
        for (const [index, view] of book.view(nowMs).entries()) {
          const { scope, per } = inForce[index] ?? { scope: 'all', per: 'day' };
          const period = periodAt(nowMs, per);
          expect([view.periodStartMs, view.resetsAtMs]).toEqual([period.startMs, period.endMs]);
          expect(view.inFlightNanoDollars).toBe(naive.taken({ scope, period }));
          expect(view.spentNanoDollars).toBeGreaterThanOrEqual(0);
          // Before its sum is known a budget knows less than there is, never more.
          expect(view.spentNanoDollars).toBeLessThanOrEqual(naive.spent({ scope, period }));
        }
      }

      for (const { wanted, sum } of asked.splice(0)) book.summed(wanted, sum);
      for (const wanted of book.wanted(nowMs)) book.summed(wanted, naive.spent(wanted));
      for (const view of book.view(nowMs)) {
        const period = { startMs: view.periodStartMs, endMs: view.resetsAtMs };
        expect(view.spentNanoDollars).toBe(naive.spent({ scope: view.scope, period }));
        expect(view.alertsRaised).toEqual(
          view.alertAt.filter((share) => view.spentNanoDollars >= share * view.limitNanoDollars),
        );
      }
      expect(new Set(raised).size).toBe(raised.length);
    }),
    { numRuns: 1000 },
  );
});

test('a limit holds however many run at once, as long as nothing costs more than its estimate', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(
        fc.record({
          estimate: fc.integer({ min: 1, max: 300 }),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
          ends: fc.nat(5),
        }),
        { maxLength: 80 },
      ),
      (limitNanoDollars, requests) => {
        const book = new BudgetBook([]);
        book.configure(
          [{ scope: 'all', limitNanoDollars, per: 'month', alertAt: [], action: 'block' }],
          START_MS,
        );
        const running: { readonly spending: Spending; readonly cost: number }[] = [];
        let spent = 0;
        for (const { estimate, share, ends } of requests) {
          const spending = spend({ estimateNanoDollars: estimate });
          if (!book.refusal(spending, START_MS)) {
            book.reserve(spending, START_MS);
            running.push({ spending, cost: Math.floor(estimate * share) });
          }
          for (const { spending: over, cost } of running.splice(0, ends)) {
            book.settle(over, cost, START_MS);
            spent += cost;
          }
          const inFlight = running.reduce(
            (sum, { spending: { estimateNanoDollars } }) => sum + (estimateNanoDollars ?? 0),
            0,
          );
          expect(spent + inFlight).toBeLessThanOrEqual(limitNanoDollars);
        }
      },
    ),
  );
});

function spend(spending: Partial<Spending> = {}): Spending {
  return {
    atMs: START_MS,
    provider: 'openai',
    model: 'gpt',
    user: null,
    estimateNanoDollars: 10,
    ...spending,
  };
}

describe('one budget of 100 a day for openai', () => {
  const BUDGET: Budget = {
    scope: { provider: 'openai' },
    limitNanoDollars: 100,
    per: 'day',
    alertAt: [0.9, 0.5],
    action: 'block',
  };
  function bookWith(budget: Budget, raised: readonly string[] = []): BudgetBook {
    const book = new BudgetBook(raised);
    book.configure([budget], START_MS);
    return book;
  }

  test('what is in flight counts, until it is settled with less', () => {
    const book = bookWith(BUDGET);
    const first = spend({ estimateNanoDollars: 95 });
    book.reserve(first, START_MS);
    expect(book.refusal(spend(), START_MS)).toMatchObject({ spentNanoDollars: 0, inFlightNanoDollars: 95 });
    expect(book.refusal(spend({ provider: 'groq' }), START_MS)).toBeNull();
    book.settle(first, 40, START_MS);
    expect(book.refusal(spend(), START_MS)).toBeNull();
    expect(book.refusal(spend({ estimateNanoDollars: 61 }), START_MS)).toMatchObject({
      spentNanoDollars: 40,
    });
  });

  test('without a price, only a budget that is spent refuses; what is free never is', () => {
    const book = bookWith(BUDGET);
    const unknown = spend({ estimateNanoDollars: null });
    expect(book.refusal(unknown, START_MS)).toBeNull();
    const dear = spend({ estimateNanoDollars: 100 });
    book.reserve(dear, START_MS);
    book.settle(dear, 100, START_MS);
    expect(book.refusal(unknown, START_MS)).toMatchObject({ spentNanoDollars: 100 });
    expect(book.refusal(spend({ estimateNanoDollars: 0 }), START_MS)).toBeNull();
  });

  test('a warning budget refuses nothing', () => {
    const book = bookWith({ ...BUDGET, limitNanoDollars: 0, action: 'warn' });
    expect(book.refusal(spend(), START_MS)).toBeNull();
  });

  test('each share is told once in a day, the lower one first, and again on the next', () => {
    const book = bookWith(BUDGET);
    const tomorrowMs = periodAt(START_MS, 'day').endMs;
    const costs = (cost: number, atMs: number) => {
      const spending = spend({ atMs });
      book.reserve(spending, atMs);
      return book.settle(spending, cost, atMs).map(({ share }) => share);
    };
    expect(costs(49, START_MS)).toEqual([]);
    expect(costs(1, START_MS)).toEqual([0.5]);
    expect(costs(1, START_MS)).toEqual([]);
    expect(costs(200, tomorrowMs)).toEqual([0.5, 0.9]);
  });

  test('after a restart it is not told again, and what was reached meanwhile is', () => {
    const first = bookWith(BUDGET);
    const spending = spend();
    first.reserve(spending, START_MS);
    const told = first.settle(spending, 60, START_MS);
    const keys = told.map(
      ({ period, share }) => `${JSON.stringify([BUDGET.scope, 'day', 100])}@${period.startMs}@${share}`,
    );
    const again = bookWith(BUDGET, keys);
    const [wanted] = again.wanted(START_MS);
    if (!wanted) throw new Error('a new book has to ask for its sums');
    expect(again.summed(wanted, 95).map(({ share }) => share)).toEqual([0.9]);
    expect(again.wanted(START_MS)).toEqual([]);
  });

  test('a day later it is empty, and a request of the day before no longer counts', () => {
    const book = bookWith(BUDGET);
    const tomorrowMs = periodAt(START_MS, 'day').endMs;
    const late = spend({ estimateNanoDollars: 100 });
    book.reserve(late, START_MS);
    expect(book.refusal(spend({ atMs: tomorrowMs - 1 }), tomorrowMs - 1)).not.toBeNull();
    expect(book.refusal(spend({ atMs: tomorrowMs }), tomorrowMs)).toBeNull();
    book.settle(late, 100, tomorrowMs);
    expect(book.view(tomorrowMs)).toMatchObject([{ spentNanoDollars: 0, inFlightNanoDollars: 0 }]);
    expect(book.neededFromMs(tomorrowMs)).toBe(tomorrowMs);
  });
});
