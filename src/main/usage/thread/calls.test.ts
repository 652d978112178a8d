import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeTry, fakeUsageRow } from '../../../../test/fakes/usage-rows.ts';
import type {
  BudgetScope,
  CostKey,
  LatencyKey,
  LatencyStats,
  UsageDetailView,
  UsageFilters,
} from '../../../shared/usage-contract.ts';
import { migrate } from '../open-database.ts';
import { percentilesOf, tokensPerSecond } from '../percentiles.ts';
import { dayText } from '../periods.ts';
import { detailOf, isUnpriced, viewOf } from '../usage-row.ts';
import { createCalls, type StoreCalls } from './calls.ts';

/*
 * Each question is held against what an honest look at every row gives. Three rows are looked at in one go, so that
 * the pieces of an answer have to be put together.
 */

const SLICE_ROWS = 3;
const HOUR_MS = 3600e3;
const START_MS = Date.UTC(2026, 9, 24, 20);

const zone = process.env.TZ;
beforeEach(() => {
  // The clocks go back on 25 October.
  process.env.TZ = 'Europe/Berlin';
});
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const name = fc.constantFrom('a', 'b', "it's");
const nameOrNull = fc.option(name, { freq: 3 });
const count = fc.option(fc.nat(500), { freq: 4 });
const ms = fc.option(fc.integer({ min: 0, max: 5000 }), { freq: 4 });
const status = fc.constantFrom('ok' as const, 'ok' as const, 'error' as const, 'cancelled' as const);

const oneTry = fc
  .record({
    provider: name,
    model: name,
    loadMs: ms,
    firstTokenMs: ms,
    totalMs: fc.nat(9000),
    promptTokens: count,
    cachedTokens: count,
    completionTokens: count,
    costNanoDollars: fc.option(fc.nat(10 ** 10), { freq: 3 }),
    status,
  })
  .map(fakeTry);
const row = fc
  .record({
    atMs: fc.integer({ min: START_MS, max: START_MS + 40 * HOUR_MS }),
    user: nameOrNull,
    keyName: nameOrNull,
    contentType: nameOrNull,
    experiment: nameOrNull,
    tries: fc.array(oneTry, { maxLength: 3 }),
    status,
  })
  .map((given) => fakeUsageRow(given));
const rows = fc
  .array(row, { maxLength: 25 })
  .map((all): readonly UsageDetailView[] => all.map((one, index) => detailOf(one, index + 1)));
/** Some in the same millisecond, and more of them than are looked at in one go. */
const crowded = fc
  .tuple(rows, fc.integer({ min: 0, max: 10 }))
  .map(([all, many]) => all.map((one, index) => (index < many ? { ...one, atMs: START_MS } : one)));
const span = fc
  .tuple(fc.integer({ min: -1, max: 41 }), fc.integer({ min: 1, max: 42 }))
  .map(([from, length]) => ({
    fromMs: START_MS + from * HOUR_MS,
    toMs: START_MS + (from + length) * HOUR_MS,
  }));

async function within<Result>(
  all: readonly UsageDetailView[],
  ask: (calls: StoreCalls) => Promise<Result> | Result,
): Promise<Result> {
  const database = new Database(':memory:');
  try {
    migrate(database);
    const calls = createCalls(database, SLICE_ROWS);
    expect(calls.write(all)).toEqual({ refused: 0 });
    return await ask(calls);
  } finally {
    database.close();
  }
}

const isIn =
  ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }) =>
  ({ atMs }: UsageDetailView) =>
    atMs >= fromMs && atMs < toMs;

test('recent requests: the newest first, a page after the other, whatever narrows them', async () => {
  const filters: fc.Arbitrary<UsageFilters> = fc.record(
    {
      user: name,
      keyName: name,
      model: name,
      provider: name,
      contentType: name,
      experiment: name,
      status,
      requestId: fc.constant('req-1'),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      crowded,
      filters,
      fc.option(span, { nil: {} }),
      fc.integer({ min: 1, max: 8 }),
      async (all, asked, when, limit) => {
        const expected = all
          .filter((row) =>
            Object.entries(asked).every(([key, value]) => new Map(Object.entries(row)).get(key) === value),
          )
          .filter(isIn({ fromMs: 0, toMs: Number.POSITIVE_INFINITY, ...when }))
          .map(viewOf)
          .toReversed();
        await within(all, async (calls) => {
          const found: unknown[] = [];
          let before: number | null = null;
          for (;;) {
            const page = await calls.requests({ before, limit, filters: { ...asked, ...when } });
            expect(page.length).toBeLessThanOrEqual(limit);
            found.push(...page);
            const last = page.at(-1);
            if (last === undefined || page.length < limit) break;
            before = last.id;
          }
          expect(found).toEqual(expected);
        });
      },
    ),
  );
});

const KEY_OF: Readonly<Record<CostKey, (row: UsageDetailView, index: number) => string | null>> = {
  user: ({ user }) => user,
  key: ({ keyName }) => keyName,
  'content-type': ({ contentType }) => contentType,
  model: (row, index) => row.tries[index]?.model ?? row.model,
  provider: (row, index) => row.tries[index]?.provider ?? row.provider,
};

/** Each try of each row on its own; one without tries still counts. */
function entriesOf(all: readonly UsageDetailView[]) {
  return all.flatMap((row) =>
    row.tries.length === 0 ? [{ row, index: 0 }] : row.tries.map((_, index) => ({ row, index })),
  );
}

function naiveSum(entries: ReturnType<typeof entriesOf>) {
  const distinct = [...new Set(entries.map(({ row }) => row))];
  const tries = entries.flatMap(({ row, index }) => row.tries[index] ?? []);
  const sum = (of: 'promptTokens' | 'cachedTokens' | 'completionTokens' | 'costNanoDollars') =>
    tries.reduce((total, one) => total + (one[of] ?? 0), 0);
  const unpriced = tries.filter(isUnpriced).length;
  const nothingKnown = unpriced > 0 && tries.every(({ costNanoDollars }) => costNanoDollars === null);
  return {
    requests: distinct.length,
    errors: distinct.filter(({ status }) => status === 'error').length,
    promptTokens: sum('promptTokens'),
    cachedTokens: sum('cachedTokens'),
    completionTokens: sum('completionTokens'),
    costNanoDollars: nothingKnown ? null : sum('costNanoDollars'),
    unpriced,
  };
}

test('costs by local day and by anything add up to one total, and a price that is not known is no zero', async () => {
  const by = fc.constantFrom<CostKey | null>('model', 'user', 'content-type', 'provider', 'key', null);
  await fc.assert(
    fc.asyncProperty(crowded, span, by, async (all, when, by) => {
      const costs = await within(all, (calls) => calls.costs({ ...when, by }));
      const entries = entriesOf(all.filter(isIn(when)));
      const keyOf = by === null ? () => null : KEY_OF[by];
      const groups = Map.groupBy(entries, ({ row, index }) =>
        JSON.stringify([dayText(row.atMs), keyOf(row, index)]),
      );
      const found = costs.days.map(({ day, key, ...sum }) => [JSON.stringify([day, key]), sum]);
      expect(new Map(found.map(([key, sum]) => [key, sum]))).toEqual(
        new Map([...groups].map(([key, group]) => [key, naiveSum(group)])),
      );
      expect(found).toHaveLength(groups.size);
      expect(costs.days.map(({ day }) => day)).toEqual(costs.days.map(({ day }) => day).toSorted());
      const keys = Map.groupBy(entries, ({ row, index }) => keyOf(row, index));
      expect(new Map(costs.keys.map(({ key, ...sum }) => [key, sum]))).toEqual(
        by === null ? new Map() : new Map([...keys].map(([key, group]) => [key, naiveSum(group)])),
      );
      expect(costs.total).toEqual(naiveSum(entries));
    }),
  );
});

test('latency: percentiles of what was answered, warm and cold apart', async () => {
  const by = fc.constantFrom<LatencyKey>('model', 'provider', 'content-type');
  const stats = (of: readonly UsageDetailView[]): Omit<LatencyStats, 'tokensPerSecond'> => ({
    requests: of.length,
    firstTokenMs: percentilesOf(of.flatMap(({ firstTokenMs }) => firstTokenMs ?? [])),
    totalMs: percentilesOf(of.map(({ totalMs }) => totalMs)),
  });
  await fc.assert(
    fc.asyncProperty(crowded, span, by, async (all, when, by) => {
      const found = await within(all, (calls) => calls.latency({ ...when, by }));
      const answered = all.filter(isIn(when)).filter(({ status }) => status === 'ok');
      const groups = Map.groupBy(answered, (row) => (by === 'content-type' ? row.contentType : row[by]));
      expect(found).toHaveLength(groups.size);
      for (const { key, warm, cold } of found) {
        const group = groups.get(key) ?? [];
        const isCold = ({ loadMs }: UsageDetailView) => loadMs !== null && loadMs > 0;
        expect(cold).toMatchObject(stats(group.filter(isCold)));
        expect(warm).toMatchObject(stats(group.filter((row) => !isCold(row))));
        const speeds = group.filter(isCold).flatMap((row) => tokensPerSecond(row) ?? []);
        expect(cold.tokensPerSecond?.p99).toEqual(speeds.length === 0 ? undefined : Math.min(...speeds));
      }
    }),
  );
});

test('what a budget has spent, by each scope', async () => {
  const scope = fc.oneof<fc.Arbitrary<BudgetScope>[]>(
    fc.constant('all'),
    fc.record({ provider: name }),
    fc.record({ model: name }),
    fc.record({ user: name }),
  );
  await fc.assert(
    fc.asyncProperty(crowded, fc.array(fc.tuple(scope, span), { maxLength: 3 }), async (all, budgets) => {
      const wanted = budgets.map(([scope, { fromMs, toMs }]) => ({
        scope,
        period: { startMs: fromMs, endMs: toMs },
      }));
      const found = await within(all, (calls) => calls.spent(wanted));
      const expected = budgets.map(([scope, when]) =>
        entriesOf(all.filter(isIn(when)))
          .filter(({ row, index }) => {
            if (scope === 'all') return true;
            if ('user' in scope) return row.user === scope.user;
            if ('model' in scope) return row.tries[index]?.model === scope.model;
            return row.tries[index]?.provider === scope.provider;
          })
          .reduce((sum, { row, index }) => sum + (row.tries[index]?.costNanoDollars ?? 0), 0),
      );
      expect(found).toEqual(expected);
    }),
  );
});

test('rows that are written while it is being worked out are not in what was spent', async () => {
  const all = Array.from({ length: 10 }, (_, index) =>
    detailOf(fakeUsageRow({ atMs: START_MS + index, tries: [fakeTry({ costNanoDollars: 1 })] }), index + 1),
  );
  const period = { startMs: START_MS, endMs: START_MS + HOUR_MS };
  await within(all, async (calls) => {
    const asked = calls.spent([{ scope: 'all', period }]);
    const later = detailOf(
      fakeUsageRow({ atMs: START_MS + 9, tries: [fakeTry({ costNanoDollars: 100 })] }),
      11,
    );
    calls.write([later]);
    expect(await asked).toEqual([10]);
    expect(await calls.spent([{ scope: 'all', period }])).toEqual([110]);
  });
});

test('the facts of suggestions', async () => {
  await fc.assert(
    fc.asyncProperty(crowded, span, fc.nat(500), async (all, when, smallTokens) => {
      const targetsMs = { a: 2500, "it's": 100 };
      const found = await within(all, (calls) => calls.facts({ ...when, smallTokens, targetsMs }));
      const inTime = all.filter(isIn(when));
      const counted = inTime.filter(
        ({ status, model, promptTokens, completionTokens }) =>
          status === 'ok' && model !== null && promptTokens !== null && completionTokens !== null,
      );
      const groups = Map.groupBy(counted, ({ model }) => model ?? '');
      expect(found.models.toSorted((a, b) => a.model.localeCompare(b.model))).toEqual(
        [...groups]
          .map(([model, group]) => {
            const small = group.filter(
              ({ promptTokens, completionTokens }) =>
                (promptTokens ?? 0) < smallTokens && (completionTokens ?? 0) < smallTokens,
            );
            const target = new Map(Object.entries(targetsMs)).get(model);
            return {
              model,
              requests: group.length,
              small: small.length,
              smallCostNanoDollars: small.reduce(
                (sum, { costNanoDollars }) => sum + (costNanoDollars ?? 0),
                0,
              ),
              smallUnpriced: small.filter(({ costNanoDollars }) => costNanoDollars === null).length,
              smallMet: small.filter(
                ({ firstTokenMs }) => target !== undefined && firstTokenMs !== null && firstTokenMs <= target,
              ).length,
            };
          })
          .toSorted((a, b) => a.model.localeCompare(b.model)),
      );
      const firstMs = Math.min(when.toMs, ...inTime.map(({ atMs }) => atMs));
      expect(found.observedDays).toBe((when.toMs - firstMs) / (24 * HOUR_MS));
    }),
  );
});

test('a sweep deletes what is older, with all that belongs to it, and texts once none are kept', async () => {
  await fc.assert(
    fc.asyncProperty(crowded, fc.nat(42), fc.boolean(), async (bare, hours, keepTexts) => {
      const all = bare.map((row) => ({ ...row, text: { prompt: 'p', answer: 'a' } }));
      const beforeMs = START_MS + hours * HOUR_MS;
      await within(all, async (calls) => {
        const kept = all.filter(({ atMs }) => atMs >= beforeMs);
        expect(await calls.sweep({ beforeMs, keepTexts })).toBe(all.length - kept.length);
        for (const row of all) {
          const expected = kept.includes(row) ? { ...row, text: keepTexts ? row.text : null } : null;
          expect(calls.request(row.id)).toEqual(expected);
        }
        const { total } = await calls.costs({ fromMs: START_MS, toMs: START_MS + 50 * HOUR_MS, by: null });
        expect(total.requests).toBe(kept.length);
      });
    }),
    { numRuns: 50 },
  );
});
