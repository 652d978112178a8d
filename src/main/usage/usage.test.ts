import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { fakeTry, fakeUsageRow } from '../../../test/fakes/usage-rows.ts';
import { parseCsv } from '../../../test/fixtures/parse-csv.ts';
import type { Budget, UsageRequestView } from '../../shared/usage-contract.ts';
import type { Spending } from './budget-book.ts';
import { DataStore } from './data-store.ts';
import { exportRequests, type ReadPage } from './export.ts';
import type { LocalModel } from './suggest.ts';
import { Usage, type UsageSettings } from './usage.ts';

const DAY_MS = 24 * 3600e3;
const START_MS = Date.UTC(2026, 10, 21, 12);
const DOLLAR = 1_000_000_000;
const SETTINGS: UsageSettings = { keepsTexts: false, retentionMs: 90 * DAY_MS, budgets: [] };
const OPENAI: Budget = {
  scope: { provider: 'openai' },
  limitNanoDollars: 10 * DOLLAR,
  per: 'month',
  alertAt: [0.5, 0.9],
  action: 'block',
};

let dir: string;
let file: string;
let clock: ManualClock;
let said: string[];
let ends: (() => Promise<void>)[];
const zone = process.env.TZ;
beforeEach(() => {
  process.env.TZ = 'Europe/Berlin';
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-usage-'));
  file = join(dir, 'roundhouse.db');
  clock = new ManualClock(START_MS);
  said = [];
  ends = [];
});
afterEach(async () => {
  for (const end of ends) await end();
  rmSync(dir, { recursive: true });
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

async function start(settings: Partial<UsageSettings> = {}, localModels: readonly LocalModel[] = []) {
  const store = await DataStore.open({ file, threadModule: join(import.meta.dirname, 'thread/main.ts') });
  const usage = await Usage.start(
    { clock, store, localModels: () => localModels, say: (text) => said.push(text) },
    { ...SETTINGS, ...settings },
  );
  const end = async () => {
    await usage.close();
    await store.close();
  };
  ends.push(end);
  return { usage, store, end };
}

function ask(given: Partial<Spending> = {}): Spending {
  return {
    atMs: clock.nowMs(),
    provider: 'openai',
    model: 'gpt',
    user: 'ada',
    estimateNanoDollars: DOLLAR,
    ...given,
  };
}

/** A request as the app makes one: reserved, answered, and in one step settled and recorded. */
function spend(usage: Usage, costNanoDollars: number): void {
  const atMs = clock.nowMs();
  using reservation = usage.budgets.reserve(ask({ estimateNanoDollars: costNanoDollars }));
  reservation.settle(costNanoDollars);
  usage.log.record(
    fakeUsageRow({ atMs, tries: [fakeTry({ provider: 'openai', model: 'gpt', costNanoDollars })] }),
  );
}

describe('budgets', () => {
  test('what was spent and what was told is remembered over a restart', async () => {
    const first = await start({ budgets: [OPENAI] });
    spend(first.usage, 6 * DOLLAR);
    expect(said).toEqual([
      'The budget of $10.00 a month for provider openai has reached 50 %: $6.00 spent. It begins anew on ' +
        '2026-12-01 00:00, in 9 days; at its limit, requests are refused.',
    ]);
    await first.end();

    const again = await start({ budgets: [OPENAI] });
    expect(said).toHaveLength(1);
    expect(again.usage.budgets.view()).toEqual([
      {
        ...OPENAI,
        periodStartMs: Date.UTC(2026, 9, 31, 23),
        resetsAtMs: Date.UTC(2026, 10, 30, 23),
        spentNanoDollars: 6 * DOLLAR,
        inFlightNanoDollars: 0,
        alertsRaised: [0.5],
      },
    ]);
    spend(again.usage, 3 * DOLLAR);
    expect(said.slice(1)).toEqual([expect.stringMatching(/has reached 90 %: \$9\.00 spent/)]);
  });

  test('a refusal names the budget, what is spent and in flight, the limit, and when it begins anew', async () => {
    const { usage } = await start({ budgets: [OPENAI] });
    spend(usage, 6.5 * DOLLAR);
    using _running = usage.budgets.reserve(ask({ estimateNanoDollars: 3 * DOLLAR }));
    const refused = () => usage.budgets.reserve(ask());
    expect(refused).toThrow(expect.objectContaining({ code: 'insufficient_quota' }));
    expect(refused).toThrow(
      'gpt is not asked: the budget of $10.00 a month for provider openai has no room ($6.50 spent, $3.00 in flight, ' +
        'up to $1.00 for this request). It begins anew on 2026-12-01 00:00, in 9 days; ask for a local model, or ' +
        'raise `budgets` in models.yaml',
    );
    expect(usage.budgets.refusal(ask({ provider: 'groq' }))).toBeNull();
  });

  test('what ends without a cost gives back what it had reserved, once', async () => {
    const { usage } = await start({ budgets: [OPENAI] });
    {
      using _running = usage.budgets.reserve(ask({ estimateNanoDollars: 10 * DOLLAR }));
      expect(usage.budgets.refusal(ask())).not.toBeNull();
    }
    const settled = usage.budgets.reserve(ask());
    settled.settle(2 * DOLLAR);
    settled.settle(2 * DOLLAR);
    settled[Symbol.dispose]();
    expect(usage.budgets.view()).toMatchObject([{ spentNanoDollars: 2 * DOLLAR, inFlightNanoDollars: 0 }]);
  });

  test('a new budget knows what was spent before it, also a moment ago', async () => {
    const { usage } = await start();
    spend(usage, 4 * DOLLAR);
    const configured = usage.configure({ ...SETTINGS, budgets: [{ ...OPENAI, alertAt: [0.1] }] });
    spend(usage, DOLLAR);
    await configured;
    expect(usage.budgets.view()).toMatchObject([{ spentNanoDollars: 5 * DOLLAR, alertsRaised: [0.1] }]);
    expect(said).toHaveLength(1);
  });

  test('rows that a budget still needs outlive their retention', async () => {
    const { usage, store, end } = await start({ budgets: [OPENAI], retentionMs: DAY_MS });
    spend(usage, DOLLAR);
    usage.log.flush();
    clock.advance(5 * DAY_MS);
    await usage.sweep();
    expect(await store.call('requests', { before: null, limit: 9, filters: {} })).toHaveLength(1);
    clock.advance(20 * DAY_MS);
    await usage.sweep();
    expect(await store.call('requests', { before: null, limit: 9, filters: {} })).toEqual([]);
    await end();
    expect(clock.pendingTimers).toBe(0);
  });
});

test('rows go when their time is over, on the clock and not before', async () => {
  const { usage, store } = await start({ retentionMs: DAY_MS });
  usage.log.record(fakeUsageRow({ atMs: START_MS }));
  usage.log.flush();
  const count = async () => (await store.call('requests', { before: null, limit: 9, filters: {} })).length;
  clock.advance(DAY_MS);
  expect(await count()).toBe(1);
  clock.advance(3600e3);
  // The database is asked in order: the sweep has begun before the count.
  for (let tries = 0; (await count()) > 0; tries++) expect(tries).toBeLessThan(100);
});

test('without a retention rows stay', async () => {
  const { usage, store } = await start({ retentionMs: null });
  usage.log.record(fakeUsageRow({ atMs: START_MS }));
  usage.log.flush();
  clock.advance(1000 * DAY_MS);
  await usage.sweep();
  expect(await store.call('requests', { before: null, limit: 9, filters: {} })).toHaveLength(1);
});

test('texts go at once when content is no longer logged', async () => {
  const { usage } = await start({ keepsTexts: true });
  const text = { prompt: 'a question', answer: 'an answer' };
  usage.log.record(fakeUsageRow({ text }));
  expect(await usage.calls['usage.request']({ id: 1 })).toMatchObject({ text });
  await usage.configure({ ...SETTINGS, keepsTexts: false });
  expect(await usage.calls['usage.request']({ id: 1 })).toMatchObject({ text: null });
});

test('a database from which most was deleted gives the disk back its room', async () => {
  const { usage, store, end } = await start({ retentionMs: DAY_MS });
  for (let index = 0; index < 30_000; index++) {
    usage.log.record(fakeUsageRow({ route: 'x'.repeat(200) }));
    if (index % 5000 === 4999) await usage.calls['usage.request']({ id: 1 });
  }
  clock.advance(2 * DAY_MS);
  await usage.sweep();
  expect(await store.call('requests', { before: null, limit: 1, filters: {} })).toEqual([]);
  await end();
  expect(statSync(file).size).toBeLessThan(6 * 1024 ** 2);
}, 60_000);

describe('the calls', () => {
  test('see what was recorded a moment before', async () => {
    const { usage } = await start();
    usage.log.record(fakeUsageRow({ atMs: START_MS - 5, user: 'ada' }));
    usage.log.record(fakeUsageRow({ atMs: START_MS, user: 'bob' }));
    const rows = await usage.calls['usage.requests']({});
    expect(rows.map(({ user }) => user)).toEqual(['bob', 'ada']);
    const { total, days } = await usage.calls['usage.costs']({ by: 'user' });
    expect(total.requests).toBe(2);
    expect(days.map(({ key }) => key).toSorted()).toEqual(['ada', 'bob']);
    expect(await usage.calls['usage.latency']({})).toMatchObject([
      { key: 'llama', warm: { requests: 2, firstTokenMs: { p50: 45 } }, cold: { requests: 0 } },
    ]);
    await expect(usage.calls['usage.request']({ id: 3 })).rejects.toMatchObject({ code: 'not_found' });
    expect(await usage.calls['usage.budgets']({})).toEqual([]);
  });

  test('keep sums for three seconds, whoever asks', async () => {
    const { usage } = await start();
    const requests = async () => (await usage.calls['usage.costs']({})).total.requests;
    usage.log.record(fakeUsageRow({ atMs: START_MS }));
    expect(await Promise.all([requests(), requests()])).toEqual([1, 1]);
    usage.log.record(fakeUsageRow({ atMs: START_MS }));
    clock.advance(2999);
    expect(await requests()).toBe(1);
    clock.advance(1);
    expect(await requests()).toBe(2);
  });

  test('refuse a time that is none, or too long', async () => {
    const { usage } = await start();
    for (const when of [
      { fromMs: 5, toMs: 5 },
      { fromMs: 0, toMs: START_MS },
    ]) {
      await expect(usage.calls['usage.costs'](when)).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });

  test('suggest with arithmetic', async () => {
    const { usage } = await start({}, [{ model: 'llama', targetFirstTokenMs: 200 }]);
    const sonnet = { provider: 'anthropic', model: 'sonnet', promptTokens: 100, completionTokens: 50 };
    for (let index = 0; index < 60; index++) {
      const atMs = START_MS - 15 * DAY_MS + index;
      usage.log.record(fakeUsageRow({ atMs, tries: [fakeTry({ ...sonnet, costNanoDollars: DOLLAR / 30 })] }));
      usage.log.record(fakeUsageRow({ atMs }));
    }
    expect(await usage.calls['usage.suggestions']({})).toMatchObject([
      {
        text:
          '60 of 60 requests to sonnet had under 200 tokens in and out, and cost $2.00 in 15 days; llama met its ' +
          'target (first token within 200 ms) on 60 of 60 such requests: −$4.00 a month',
      },
    ]);
  });
});

describe('an export', () => {
  const NAMES = ['=HYPERLINK("x")', '+1', 'two\nlines', 'a,b', '"', "'tis", 'ada', null];

  async function exported(format: 'csv' | 'jsonl') {
    const { usage } = await start();
    for (let index = 0; index < 1203; index++) {
      usage.log.record(
        fakeUsageRow({
          atMs: START_MS + index,
          user: NAMES[index % NAMES.length] ?? null,
          tries: index % 5 === 0 ? [] : [fakeTry({ costNanoDollars: index % 3 === 0 ? null : index * 1001 })],
        }),
      );
    }
    const pages: unknown[] = [];
    const read: ReadPage = (page) => {
      pages.push(page);
      return usage.calls['usage.requests'](page);
    };
    const pieces: string[] = [];
    // From the second on, so that the filter has something to leave out.
    for await (const piece of exportRequests(read, format, { fromMs: START_MS + 1 })) {
      pieces.push(piece);
      // A piece a page: nobody builds the whole of it.
      expect(pages.length).toBeGreaterThanOrEqual(pieces.length - 1);
    }
    expect(pages).toHaveLength(3);
    const all: UsageRequestView[] = [];
    for (let before: number | null = null; ; before = all.at(-1)?.id ?? null) {
      const page = await usage.calls['usage.requests']({
        limit: 500,
        ...(before === null ? {} : { before }),
      });
      if (page.length === 0) break;
      all.push(...page);
    }
    return { text: pieces.join(''), rows: all.filter(({ atMs }) => atMs > START_MS) };
  }

  test('as JSON lines is the rows', async () => {
    const { text, rows } = await exported('jsonl');
    expect(rows).toHaveLength(1202);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows);
  });

  test('as CSV can be read back, holds no formula, and leaves what is not known empty', async () => {
    const { text, rows } = await exported('csv');
    const [head = [], ...lines] = parseCsv(text);
    const column = (name: string) => {
      const index = head.findIndex((field) => field.text === name);
      expect(index).toBeGreaterThanOrEqual(0);
      return lines.map((line) => line[index] ?? { text: '', quoted: false });
    };
    const unsafe = lines.flat().filter(({ text }) => /^[=+\-@\t\r]/.test(text));
    expect(unsafe).toEqual([]);
    const texts = (name: string) => column(name).map(({ text }) => text.replace(/^'/, ''));
    const numbers = (name: string) => column(name).map(({ text }) => (text === '' ? null : Number(text)));
    expect(texts('user')).toEqual(rows.map(({ user }) => user ?? ''));
    expect(numbers('id')).toEqual(rows.map(({ id }) => id));
    expect(numbers('cost_nano_dollars')).toEqual(rows.map(({ costNanoDollars }) => costNanoDollars));
    expect(numbers('prompt_tokens')).toEqual(rows.map(({ promptTokens }) => promptTokens));
    expect(texts('at').map((at) => Date.parse(at))).toEqual(rows.map(({ atMs }) => atMs));
    for (const [index, text] of texts('cost_dollars').entries()) {
      const nanos = rows[index]?.costNanoDollars ?? null;
      expect(text === '' ? null : Math.round(Number(text) * DOLLAR)).toBe(nanos);
    }
  });
});
