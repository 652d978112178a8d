import { expect, test } from 'vitest';
import { USAGE_CALLS } from './usage-contract.ts';

const requests = USAGE_CALLS['usage.requests'].input;

test('numbers may come as the text of a query', () => {
  expect(requests.parse({ before: '12', limit: '50' })).toEqual({ before: 12, limit: 50 });
  expect(requests.parse({ limit: 500, filters: { status: 'error', fromMs: '0' } })).toEqual({
    limit: 500,
    filters: { status: 'error', fromMs: 0 },
  });
  expect(USAGE_CALLS['usage.request'].input.parse({ id: '7' })).toEqual({ id: 7 });
});

test.each([
  { limit: 501 },
  { limit: 0 },
  { limit: '-1' },
  { limit: '1e3' },
  { limit: 1.5 },
  { before: '' },
  { before: 2 ** 53 },
  { filters: { model: '' } },
  { filters: { status: 'lost' } },
  { filters: { fromMs: Number.NaN } },
  { filters: { id: '1; DROP TABLE usage_requests' } },
  { order: 'oldest' },
])('%j is refused', (input) => {
  expect(requests.safeParse(input).success).toBe(false);
});
