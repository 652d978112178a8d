import type { CostKey, UsageFilters, UsageRequestView, UsageStatus } from '../../shared/usage-contract.ts';

/** How far back requests are listed. */
export const PERIODS = ['1h', '24h', '7d', '30d'] as const;
export type Period = (typeof PERIODS)[number];

const HOUR_MS = 3600e3;
const PERIOD_MS: Readonly<Record<Period, number>> = {
  '1h': HOUR_MS,
  '24h': 24 * HOUR_MS,
  '7d': 7 * 24 * HOUR_MS,
  '30d': 30 * 24 * HOUR_MS,
};

/** `null` = whatever it is. Together all must hold. */
export interface RequestFilters {
  readonly model: string | null;
  readonly provider: string | null;
  readonly user: string | null;
  readonly contentType: string | null;
  readonly status: UsageStatus | null;
  readonly period: Period | null;
}

export const NO_FILTERS: RequestFilters = {
  model: null,
  provider: null,
  user: null,
  contentType: null,
  status: null,
  period: null,
};

/** Filters whose values only past requests can tell, and what costs are asked by to learn them. */
export const VALUE_FILTERS = {
  model: 'model',
  provider: 'provider',
  user: 'user',
  contentType: 'content-type',
} as const satisfies Partial<Record<keyof RequestFilters, CostKey>>;
export type ValueFilter = keyof typeof VALUE_FILTERS;

export function isFiltered(filters: RequestFilters): boolean {
  return Object.values(filters).some((value) => value !== null);
}

/** As the app is asked. */
export function toUsageFilters({ period, ...values }: RequestFilters, nowMs: number): UsageFilters {
  // Leaves out fields; what is left keeps its type.
  const given = Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null),
  ) as UsageFilters;
  return period === null ? given : { ...given, fromMs: nowMs - PERIOD_MS[period] };
}

/** Whether a request that has just ended belongs to what is listed, as the app would say. */
export function matches(row: UsageRequestView, filters: RequestFilters, nowMs: number): boolean {
  const { fromMs = 0, ...values } = toUsageFilters(filters, nowMs);
  if (row.atMs < fromMs) return false;
  return Object.entries(values).every(([name, value]) => Reflect.get(row, name) === value);
}
