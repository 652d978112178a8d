import { describe, expect, it } from 'vitest';
import { fakeRequest } from '../../../test/fakes/fake-requests.ts';
import { usageFiltersSchema } from '../../shared/usage-contract.ts';
import { isFiltered, matches, NO_FILTERS, type RequestFilters, toUsageFilters } from './request-filters.ts';

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3600e3;

describe('filters', () => {
  it('ask the app only for what is chosen, in the words of the contract', () => {
    const filters: RequestFilters = { ...NO_FILTERS, model: 'sonnet', contentType: 'code', period: '24h' };
    const asked = toUsageFilters(filters, NOW_MS);
    expect(asked).toEqual({ model: 'sonnet', contentType: 'code', fromMs: NOW_MS - 24 * HOUR_MS });
    expect(usageFiltersSchema.parse(asked)).toEqual(asked);
    expect(toUsageFilters(NO_FILTERS, NOW_MS)).toEqual({});
  });

  it.each<[Partial<RequestFilters>, boolean]>([
    [{}, true],
    [{ model: 'mistral', provider: 'local', user: 'ada', contentType: 'code', status: 'ok' }, true],
    [{ model: 'llama' }, false],
    [{ provider: 'openai' }, false],
    [{ user: 'grace' }, false],
    [{ contentType: 'twitter' }, false],
    [{ status: 'error' }, false],
    [{ period: '1h' }, true],
  ])('%j holds for a request that has just ended: %s', (changes, holds) => {
    const row = fakeRequest(1, { user: 'ada', contentType: 'code', atMs: NOW_MS - 1_000 });
    expect(matches(row, { ...NO_FILTERS, ...changes }, NOW_MS)).toBe(holds);
  });

  it('leave out what came before the period', () => {
    const row = fakeRequest(1, { atMs: NOW_MS - 2 * HOUR_MS });
    expect(matches(row, { ...NO_FILTERS, period: '1h' }, NOW_MS)).toBe(false);
    expect(matches(row, { ...NO_FILTERS, period: '24h' }, NOW_MS)).toBe(true);
  });

  it('know whether they narrow anything', () => {
    expect(isFiltered(NO_FILTERS)).toBe(false);
    expect(isFiltered({ ...NO_FILTERS, status: 'error' })).toBe(true);
  });
});
