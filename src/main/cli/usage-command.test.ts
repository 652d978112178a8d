import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeUsageRow } from '../../../test/fakes/usage-rows.ts';
import { parseCsv } from '../../../test/fixtures/parse-csv.ts';
import type { CostSum, CostsView, UsageCallInput } from '../../shared/usage-contract.ts';
import { detailOf, viewOf } from '../usage/usage-row.ts';
import { runUsage, type UsageClient } from './usage-command.ts';
import { readUsageOptions, USAGE_OPTION_HELP, USAGE_OPTIONS, type UsageChoice } from './usage-options.ts';

const DAY_MS = 86_400e3;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-usage-cli-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const NOTHING: CostSum = {
  requests: 0,
  errors: 0,
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  costNanoDollars: 0,
  unpriced: 0,
};
const sonnet = {
  ...NOTHING,
  requests: 1204,
  errors: 2,
  promptTokens: 1_200_345,
  costNanoDollars: 4_104_000_000,
};
const local = { ...NOTHING, requests: 12, completionTokens: 800 };
const unknown = { ...NOTHING, requests: 3, costNanoDollars: null, unpriced: 3 };

function costsOf(...keys: CostsView['keys']): CostsView {
  const total = { ...sonnet, requests: 1219, unpriced: keys.reduce((sum, key) => sum + key.unpriced, 0) };
  const days = [
    { day: '2026-11-20', key: null, ...sonnet },
    { day: '2026-11-21', key: null, ...local },
  ];
  return { fromMs: 0, toMs: 1, days, keys, total };
}

async function run(choice: Partial<UsageChoice & { readonly json: boolean }>, costs = costsOf()) {
  let printed = '';
  const asked: UsageCallInput<'usage.costs'>[] = [];
  const rows = Array.from({ length: 700 }, (_, index) =>
    viewOf(detailOf(fakeUsageRow({ user: index === 0 ? '=cmd' : 'ada' }), 700 - index)),
  );
  const client: UsageClient = {
    costs: async (input) => {
      asked.push(input);
      return costs;
    },
    requests: async ({ before, limit }) =>
      rows.filter(({ id }) => id < (before ?? Number.POSITIVE_INFINITY)).slice(0, limit),
  };
  const terminal = {
    write: (text: string) => {
      printed += text;
    },
    cwd: dir,
    nowMs: () => 100 * DAY_MS,
  };
  await runUsage({ by: null, sinceMs: 7 * DAY_MS, csv: null, json: false, ...choice }, client, terminal);
  return { printed, asked };
}

test('by day, with a total', async () => {
  const { printed, asked } = await run({});
  expect(asked).toEqual([{ fromMs: 93 * DAY_MS }]);
  expect(printed).toMatchInlineSnapshot(`
    "DAY         REQUESTS  FAILED  TOKENS IN  CACHED  TOKENS OUT   COST
    2026-11-20     1,204       2  1,200,345       0           0  $4.10
    2026-11-21        12       0          0       0         800  $0.00
    total          1,219       2  1,200,345       0           0  $4.10
    "
  `);
});

test('by model, and what has no known price is said', async () => {
  const keys = costsOf(
    { key: 'sonnet', ...sonnet },
    { key: null, ...local },
    { key: 'new\u001b[31m', ...unknown },
  );
  const { printed, asked } = await run({ by: 'model' }, keys);
  expect(asked).toEqual([{ fromMs: 93 * DAY_MS, by: 'model' }]);
  expect(printed).toMatchInlineSnapshot(`
    "MODEL     REQUESTS  FAILED  TOKENS IN  CACHED  TOKENS OUT   COST  NO PRICE
    sonnet       1,204       2  1,200,345       0           0  $4.10         0
    (none)          12       0          0       0         800  $0.00         0
    new?[31m         3       0          0       0           0      -         3
    total        1,219       2  1,200,345       0           0  $4.10         3

    What has no known price is not in the cost.
    "
  `);
});

test('without requests, what to do', async () => {
  const { printed } = await run({ by: 'user' });
  expect(printed).toBe('There were no requests in that time. The first one: roundhouse run MODEL "Hello"\n');
});

test('as JSON it is what the app answers', async () => {
  const { printed } = await run({ json: true });
  expect(JSON.parse(printed)).toEqual(costsOf());
});

test('the table as CSV', async () => {
  const { printed } = await run(
    { by: 'model', csv: '-' },
    costsOf({ key: 'sonnet', ...sonnet }, { key: 'new', ...unknown }),
  );
  expect(parseCsv(printed).map((line) => line.map(({ text }) => text))).toEqual([
    [
      'model',
      'requests',
      'failed',
      'prompt_tokens',
      'cached_tokens',
      'completion_tokens',
      'cost_nano_dollars',
      'cost_dollars',
      'unpriced',
    ],
    ['sonnet', '1204', '2', '1200345', '0', '0', '4104000000', '4.104', '0'],
    ['new', '3', '0', '0', '0', '0', '', '', '3'],
  ]);
});

test('every request as CSV, a page after the other, into a file', async () => {
  const { printed } = await run({ csv: 'usage.csv' });
  expect(printed).toBe('');
  const lines = parseCsv(readFileSync(join(dir, 'usage.csv'), 'utf8'));
  expect(lines).toHaveLength(701);
  expect(lines[1]?.[3]?.text).toBe("'=cmd");
  await expect(run({ csv: 'gone/usage.csv' })).rejects.toThrow(
    /gone\/usage\.csv cannot be written \(ENOENT.*; choose another file/,
  );
});

test.each([
  [{}, { by: null, sinceMs: 30 * DAY_MS, csv: null }],
  [
    { by: 'content-type', since: '7d', csv: '-' },
    { by: 'content-type', sinceMs: 7 * DAY_MS, csv: '-' },
  ],
  [
    { by: 'day', since: '36h' },
    { by: 'day', sinceMs: 1.5 * DAY_MS, csv: null },
  ],
  [{ by: 'week' }, '--by: "week" is not one of day, model, user, content-type, provider, key'],
  [{ since: 'yesterday' }, '--since: "yesterday" is not a time; write one such as 24h or 7d'],
  [{ since: '0' }, '--since: "0" is not a time; write one such as 24h or 7d'],
  [{ since: '401d' }, '--since: "401d" is more than the 400 days that are summed at once'],
])('%j', (given, expected) => {
  const options = new Map(Object.entries(given));
  expect(readUsageOptions((option) => options.get(option) ?? null)).toEqual(expected);
});

test('each option has its help', () => {
  const explained = USAGE_OPTION_HELP.map(([option]) => /^--([a-z]+) [A-Z]+$/.exec(option)?.[1]);
  expect(explained).toEqual(Object.keys(USAGE_OPTIONS));
});
