import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { fakeTry, fakeUsageRow } from '../../../test/fakes/usage-rows.ts';
import type { UsageDetailView, UsageEvent } from '../../shared/usage-contract.ts';
import type { DataStore } from './data-store.ts';
import { UsageLog } from './usage-log.ts';

/** A database that writes when the test says so. */
class FakeStore {
  readonly lastRequestId = 41;
  readonly batches: (readonly UsageDetailView[])[] = [];
  readonly #answers: PromiseWithResolvers<{ refused: number }>[] = [];

  readonly call = (async (name: string, rows: readonly UsageDetailView[]) => {
    if (name !== 'write') throw new Error(`${name} is not for the log`);
    this.batches.push(rows);
    const answer = Promise.withResolvers<{ refused: number }>();
    this.#answers.push(answer);
    return await answer.promise;
  }) as DataStore['call'];

  async writes(refused = 0): Promise<void> {
    this.#answers.shift()?.resolve({ refused });
    await settled();
  }

  async fails(): Promise<void> {
    this.#answers.shift()?.reject(new Error('database or disk is full'));
    await settled();
  }
}

/** Everything that waits for nothing but promises has run. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
}

function setUp(keepsTexts = false) {
  const clock = new ManualClock();
  const store = new FakeStore();
  const said: string[] = [];
  const log = new UsageLog({
    clock,
    store,
    keepsTexts: () => keepsTexts,
    onTrouble: (text) => said.push(text),
  });
  return { clock, store, said, log };
}

const TEXT = { prompt: 'a secret question', answer: 'a secret answer' };

test('rows wait for each other, and for no longer than 50 ms', async () => {
  const { clock, store, log } = setUp();
  log.record(fakeUsageRow());
  clock.advance(30);
  log.record(fakeUsageRow());
  clock.advance(19);
  expect(store.batches).toEqual([]);
  clock.advance(1);
  expect(store.batches.map((rows) => rows.map(({ id }) => id))).toEqual([[42, 43]]);
  // The next ones do not wait for the disk.
  log.record(fakeUsageRow());
  clock.advance(50);
  expect(store.batches.at(-1)?.map(({ id }) => id)).toEqual([44]);
  await store.writes();
  await store.writes();
  expect(clock.pendingTimers).toBe(0);
});

test('a flush sends what waits at once, and nothing when nothing does', () => {
  const { clock, store, log } = setUp();
  log.flush();
  log.record(fakeUsageRow());
  log.flush();
  log.flush();
  expect(store.batches).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
});

test('a full disk is said once, rows are kept and written when there is room, and how many were lost is said', async () => {
  const { clock, store, said, log } = setUp();
  log.record(fakeUsageRow());
  clock.advance(50);
  await store.fails();
  expect(said).toEqual([expect.stringMatching(/^Usage cannot be written \(database or disk is full\)/)]);
  for (let count = 0; count < 20_010; count++) log.record(fakeUsageRow());
  clock.advance(4999);
  expect(store.batches).toHaveLength(1);
  for (let again = 0; again < 3; again++) {
    clock.advance(again === 0 ? 1 : 5000);
    await store.fails();
  }
  expect(said).toHaveLength(1);
  clock.advance(5000);
  const kept = store.batches.at(-1) ?? [];
  expect(kept).toHaveLength(20_000);
  // In their order, the one of before among them.
  expect(kept.slice(0, 3).map(({ id }) => id)).toEqual([42, 43, 44]);
  await store.writes();
  expect(said.slice(1)).toEqual(['Usage is written again; that of 11 requests was lost.']);
  expect(log.lostRows).toBe(11);
  log.record(fakeUsageRow());
  clock.advance(50);
  expect(store.batches.at(-1)).toHaveLength(1);
  await store.writes();
  expect(said).toHaveLength(2);
});

test('a database that is behind is said once, however often it catches up with a row', async () => {
  const { clock, store, said, log } = setUp();
  for (let batch = 0; batch < 20; batch++) {
    for (let count = 0; count < 1001; count++) log.record(fakeUsageRow());
    clock.advance(50);
  }
  expect(said).toEqual([expect.stringContaining('the database is behind')]);
  for (let batch = 0; batch < 9; batch++) {
    await store.writes();
    log.record(fakeUsageRow());
  }
  expect(said).toHaveLength(1);
  await store.writes();
  expect(said.slice(1)).toEqual(['Usage is written again; that of 20 requests was lost.']);
});

test('closing writes what waits, also what failed before, and waits for it', async () => {
  const { clock, store, said, log } = setUp();
  log.record(fakeUsageRow());
  clock.advance(50);
  log.record(fakeUsageRow());
  let closed = false;
  const closing = log.close().then(() => {
    closed = true;
  });
  expect(store.batches).toHaveLength(2);
  await store.fails();
  await store.writes();
  expect(closed).toBe(false);
  expect(store.batches.at(-1)?.map(({ id }) => id)).toEqual([42]);
  await store.writes();
  await closing;
  expect(said).toHaveLength(2);
  expect(log.lostRows).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

test('closing on a full disk says what is lost', async () => {
  const { clock, store, said, log } = setUp();
  log.record(fakeUsageRow());
  const closing = log.close();
  await store.fails();
  await store.fails();
  await closing;
  expect(said.at(-1)).toMatch(/^Usage of 1 requests could not be written/);
  expect(log.lostRows).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});

test('texts go to the database only while content is logged', () => {
  for (const keepsTexts of [false, true]) {
    const { store, log } = setUp(keepsTexts);
    log.record(fakeUsageRow({ text: TEXT }));
    log.flush();
    expect(store.batches[0]?.[0]?.text).toEqual(keepsTexts ? TEXT : null);
    expect(JSON.stringify(store.batches).includes('secret')).toBe(keepsTexts);
  }
});

test('texts that a full disk would pile up are left out, their rows are not', async () => {
  const { clock, store, log } = setUp(true);
  const text = { prompt: 'x'.repeat(5 * 1024 ** 2), answer: '' };
  for (let count = 0; count < 5; count++) log.record(fakeUsageRow({ text }));
  clock.advance(50);
  expect(store.batches[0]?.map(({ text }) => text !== null)).toEqual([true, true, true, false, false]);
  await store.writes();
  log.record(fakeUsageRow({ text }));
  log.flush();
  expect(store.batches[1]?.[0]?.text).toEqual(text);
});

test('what callers and providers make up does no harm', () => {
  const { store, log } = setUp();
  log.record(
    fakeUsageRow({
      user: 'u'.repeat(100_000),
      atMs: Number.NaN,
      totalMs: -5,
      answeredBy: 9,
      tries: [
        fakeTry({
          promptTokens: 1e300,
          completionTokens: -3,
          firstTokenMs: Number.NaN,
          costNanoDollars: Number.POSITIVE_INFINITY,
        }),
      ],
    }),
  );
  log.record(fakeUsageRow({ tries: null as never }));
  log.flush();
  expect(store.batches[0]).toHaveLength(1);
  expect(store.batches[0]?.[0]).toMatchObject({
    user: 'u'.repeat(512),
    atMs: 0,
    totalMs: 0,
    model: null,
    tries: [{ promptTokens: null, completionTokens: null, firstTokenMs: null, costNanoDollars: null }],
  });
  expect(log.lostRows).toBe(1);
});

test('a request costs what its tries cost together, and nobody knows when one of them is not known', () => {
  const { store, log } = setUp();
  const costs = (...tries: (number | null)[]) => {
    log.record(fakeUsageRow({ tries: tries.map((costNanoDollars) => fakeTry({ costNanoDollars })) }));
    log.flush();
    return store.batches.at(-1)?.[0]?.costNanoDollars;
  };
  expect(costs(5, 7)).toBe(12);
  expect(costs(0)).toBe(0);
  expect(costs(5, null)).toBeNull();
  expect(costs()).toBeNull();
  // What never began to answer cost nothing, as far as anybody knows.
  log.record(
    fakeUsageRow({
      tries: [fakeTry({ costNanoDollars: null, firstTokenMs: null }), fakeTry({ costNanoDollars: 5 })],
    }),
  );
  log.flush();
  expect(store.batches.at(-1)?.[0]?.costNanoDollars).toBe(5);
});

test('who looks is told of requests as they end, once a frame, and how many more there were', () => {
  const { clock, log } = setUp();
  const events: UsageEvent[] = [];
  log.record(fakeUsageRow());
  {
    using _looking = log.subscribe((event) => events.push(event));
    for (let count = 0; count < 23; count++) log.record(fakeUsageRow({ text: TEXT }));
    expect(events).toEqual([]);
    clock.advance(16);
    expect(events.map(({ rows, missed }) => [rows.map(({ id }) => id), missed])).toEqual([
      [Array.from({ length: 20 }, (_, index) => 43 + index), 3],
    ]);
    expect(JSON.stringify(events)).not.toContain('secret');
    expect(events[0]?.rows[0]).not.toHaveProperty('tries');
    clock.advance(1000);
    expect(events).toHaveLength(1);
    log.record(fakeUsageRow());
    clock.advance(16);
    expect(events[1]).toMatchObject({ rows: [{ id: 66 }], missed: 0 });
  }
  log.record(fakeUsageRow());
  clock.advance(1000);
  expect(events).toHaveLength(2);
});
