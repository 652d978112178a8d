import type { Clock } from '../../src/shared/clock.ts';
import { RoundhouseError } from '../../src/shared/errors.ts';
import {
  type BudgetView,
  type CostKey,
  type CostSum,
  type CostsView,
  type LatencyRow,
  MOST_REQUESTS,
  type Percentiles,
  type SuggestionView,
  type UsageCallInput,
  type UsageCallName,
  type UsageCallOutput,
  type UsageFilters,
  type UsageRequestView,
} from '../../src/shared/usage-contract.ts';
import { fakeDetail, fakeRequestLike, fakeRequests } from './fake-requests.ts';

const DAY_MS = 86_400e3;
const DOLLAR = 1_000_000_000;

export interface FakeUsageOptions {
  readonly clock: Clock;
  /** The newest first. */
  readonly requests?: readonly UsageRequestView[];
  readonly budgets?: readonly BudgetView[];
  readonly suggestions?: readonly SuggestionView[];
  /** As `logging.content`. */
  readonly keepsTexts?: boolean;
}

type Handlers = {
  readonly [Name in UsageCallName]: (input: UsageCallInput<Name>) => Promise<UsageCallOutput<Name>>;
};

/** Rows of usage in memory, and what the app works out from them. */
export class FakeUsage {
  readonly handlers: Handlers;
  #rows: readonly UsageRequestView[];

  constructor(options: FakeUsageOptions) {
    const { clock } = options;
    const nowMs = clock.nowMs();
    this.#rows = options.requests ?? fakeRequests(400, nowMs);
    this.handlers = {
      'usage.requests': async ({ before, limit, filters }) =>
        this.#rows
          .filter((row) => row.id < (before ?? Number.POSITIVE_INFINITY) && matches(row, filters ?? {}))
          .slice(0, Math.min(limit ?? 100, MOST_REQUESTS)),
      'usage.request': async ({ id }) => {
        const row = this.#rows.find((other) => other.id === id);
        if (row === undefined) throw new RoundhouseError('not_found', `No request has the id ${id}.`);
        return fakeDetail(row, options.keepsTexts ?? true);
      },
      'usage.costs': async ({ by, fromMs, toMs }) => {
        const until = toMs ?? clock.nowMs() + 1;
        return costsOf(this.#rows, by ?? null, fromMs ?? until - 30 * DAY_MS, until);
      },
      'usage.latency': async ({ by }) => latencyOf(this.#rows, by ?? 'model'),
      'usage.suggestions': async () => options.suggestions ?? [fakeSuggestion()],
      'usage.budgets': async () => options.budgets ?? fakeBudgets(nowMs),
    };
  }

  /** One more request has ended, like those before it unless told otherwise. */
  end(atMs: number, changes: Partial<UsageRequestView> = {}): UsageRequestView {
    const id = (this.#rows[0]?.id ?? 0) + 1;
    const row = { ...fakeRequestLike(id, atMs), ...changes };
    this.#rows = [row, ...this.#rows];
    return row;
  }
}

function matches(row: UsageRequestView, filters: UsageFilters): boolean {
  const { fromMs = 0, toMs = Number.POSITIVE_INFINITY, ...equal } = filters;
  if (row.atMs < fromMs || row.atMs >= toMs) return false;
  return Object.entries(equal).every(
    ([name, value]) => value === undefined || Reflect.get(row, name) === value,
  );
}

const KEY_OF: Readonly<Record<CostKey, (row: UsageRequestView) => string | null>> = {
  model: (row) => row.model,
  user: (row) => row.user,
  'content-type': (row) => row.contentType,
  provider: (row) => row.provider,
  key: (row) => row.keyName,
};

function costsOf(
  rows: readonly UsageRequestView[],
  by: CostKey | null,
  fromMs: number,
  toMs: number,
): CostsView {
  const within = rows.filter((row) => row.atMs >= fromMs && row.atMs < toMs);
  const keyOf = by === null ? () => null : KEY_OF[by];
  const days = [...Map.groupBy(within, (row) => dayOf(row.atMs))]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([day, ofDay]) => sums(ofDay, keyOf).map((sum) => ({ day, ...sum })));
  return { fromMs, toMs, days, keys: by === null ? [] : sums(within, keyOf), total: sumOf(within) };
}

function sums(rows: readonly UsageRequestView[], keyOf: (row: UsageRequestView) => string | null) {
  return [...Map.groupBy(rows, keyOf)]
    .map(([key, ofKey]) => ({ key, ...sumOf(ofKey) }))
    .toSorted((a, b) => (b.costNanoDollars ?? -1) - (a.costNanoDollars ?? -1) || b.requests - a.requests);
}

function sumOf(rows: readonly UsageRequestView[]): CostSum {
  const add = (figureOf: (row: UsageRequestView) => number | null) =>
    rows.reduce((sum, row) => sum + (figureOf(row) ?? 0), 0);
  const priced = rows.filter((row) => row.costNanoDollars !== null).length;
  const unpriced = rows.filter((row) => row.costNanoDollars === null && row.firstTokenMs !== null).length;
  return {
    requests: rows.length,
    errors: rows.filter((row) => row.status === 'error').length,
    promptTokens: add((row) => row.promptTokens),
    cachedTokens: add((row) => row.cachedTokens),
    completionTokens: add((row) => row.completionTokens),
    costNanoDollars: priced === 0 && unpriced > 0 ? null : add((row) => row.costNanoDollars),
    unpriced,
  };
}

function dayOf(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function latencyOf(
  rows: readonly UsageRequestView[],
  by: 'model' | 'provider' | 'content-type',
): readonly LatencyRow[] {
  const answered = rows.filter((row) => row.status === 'ok');
  return [...Map.groupBy(answered, KEY_OF[by])].map(([key, ofKey]) => ({
    key,
    warm: statsOf(ofKey.filter((row) => (row.loadMs ?? 0) === 0)),
    cold: statsOf(ofKey.filter((row) => (row.loadMs ?? 0) > 0)),
  }));
}

function statsOf(rows: readonly UsageRequestView[]): LatencyRow['warm'] {
  const percentiles = (values: readonly number[]): Percentiles | null => {
    if (values.length === 0) return null;
    const sorted = values.toSorted((a, b) => a - b);
    const at = (percent: number) => sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? 0;
    return { p50: at(50), p95: at(95), p99: at(99) };
  };
  const speed = (row: UsageRequestView) =>
    (1_000 * (row.completionTokens ?? 0)) / Math.max(1, row.totalMs - (row.firstTokenMs ?? 0));
  const speeds = percentiles(rows.map((row) => -speed(row)));
  return {
    requests: rows.length,
    firstTokenMs: percentiles(rows.flatMap((row) => row.firstTokenMs ?? [])),
    totalMs: percentiles(rows.map((row) => row.totalMs)),
    tokensPerSecond: speeds === null ? null : { p50: -speeds.p50, p95: -speeds.p95, p99: -speeds.p99 },
  };
}

/** One that warns, one that is nearly spent, one that is. */
export function fakeBudgets(nowMs: number): readonly BudgetView[] {
  const at = new Date(nowMs);
  const monthMs = new Date(at.getFullYear(), at.getMonth(), 1).getTime();
  const nextMonthMs = new Date(at.getFullYear(), at.getMonth() + 1, 1).getTime();
  const dayMs = new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
  const nextDayMs = new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1).getTime();
  return [
    {
      scope: 'all',
      limitNanoDollars: 5 * DOLLAR,
      per: 'month',
      alertAt: [0.5, 0.9],
      action: 'warn',
      periodStartMs: monthMs,
      resetsAtMs: nextMonthMs,
      spentNanoDollars: 3.11 * DOLLAR,
      inFlightNanoDollars: 0.031 * DOLLAR,
      alertsRaised: [0.5],
    },
    {
      scope: { provider: 'openai' },
      limitNanoDollars: 0.4 * DOLLAR,
      per: 'month',
      alertAt: [0.8],
      action: 'block',
      periodStartMs: monthMs,
      resetsAtMs: nextMonthMs,
      spentNanoDollars: 0.341 * DOLLAR,
      inFlightNanoDollars: 0.012 * DOLLAR,
      alertsRaised: [0.8],
    },
    {
      scope: { user: 'grace' },
      limitNanoDollars: 0.5 * DOLLAR,
      per: 'day',
      alertAt: [],
      action: 'block',
      periodStartMs: dayMs,
      resetsAtMs: nextDayMs,
      spentNanoDollars: 0.5003 * DOLLAR,
      inFlightNanoDollars: 0,
      alertsRaised: [],
    },
  ];
}

export function fakeSuggestion(): SuggestionView {
  return {
    fromModel: 'sonnet',
    toModel: 'llama',
    text:
      '61 of 100 requests to sonnet had under 200 tokens in and out, and cost $0.92 in 30 days; llama met its target ' +
      '(first token within 200 ms) on 96 of 98 such requests: −$0.92 a month',
    savedNanoDollarsPerMonth: 0.92 * DOLLAR,
    observedDays: 30,
    requests: 100,
    smallRequests: 61,
    smallTokens: 200,
    smallCostNanoDollars: 0.92 * DOLLAR,
    localRequests: 98,
    localMet: 96,
    targetFirstTokenMs: 200,
  };
}
