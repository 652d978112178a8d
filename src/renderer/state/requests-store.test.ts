import { describe, expect, it } from 'vitest';
import { fakeSnapshot } from '../../../test/fakes/fake-models.ts';
import { fakeDetail, fakeRequest } from '../../../test/fakes/fake-requests.ts';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { CallInput } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { UsageRequestView } from '../../shared/usage-contract.ts';
import type { Transport } from '../transport/transport.ts';
import { createRequestsStore, MOST_KEPT } from './requests-store.ts';
import { createAppStore } from './store.ts';

interface Asked {
  readonly name: string;
  readonly input: CallInput<'usage.requests'>;
  readonly answer: PromiseWithResolvers<unknown>;
}

/** A store over an app whose answers the test gives. */
function setUp() {
  const asked: Asked[] = [];
  const transport: Transport = {
    // Each test gives the answer that its call asks for.
    call: ((name: string, input: CallInput<'usage.requests'>) => {
      const answer = Promise.withResolvers<unknown>();
      asked.push({ name, input, answer });
      return answer.promise;
    }) as Transport['call'],
    stream: async function* () {},
    locate: () => Promise.reject(new Error('not called here')),
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
  };
  const clock = new ManualClock();
  const app = createAppStore(transport);
  app.setState({ connection: { status: 'connected' }, snapshot: fakeSnapshot() });
  const store = createRequestsStore(transport, app, clock);
  const last = () => {
    const call = asked.at(-1);
    if (call === undefined) throw new Error('nothing was asked');
    return call;
  };
  const answer = async (value: unknown, call = last()) => {
    call.answer.resolve(value);
    await call.answer.promise;
    await Promise.resolve();
  };
  return {
    store,
    clock,
    app,
    asked,
    last,
    answer,
    refuse: async (error: Error) => {
      const call = last();
      call.answer.reject(error);
      await call.answer.promise.catch(() => undefined);
      await Promise.resolve();
    },
    ids: () => store.getState().rows.map((row) => row.id),
    hear: (ids: readonly number[], missed = 0) =>
      store
        .getState()
        .hear({ type: 'usage', rows: ids.map((id) => fakeRequest(id, { atMs: clock.nowMs() })), missed }),
    /** The list with these rows in it. */
    async open(ids: readonly number[]) {
      store.getState().open();
      await answer(rows(ids));
    },
  };
}

const rows = (ids: readonly number[]): readonly UsageRequestView[] => ids.map((id) => fakeRequest(id));
const range = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

describe('the list of requests', () => {
  it('asks for nothing before it is looked at', () => {
    const { asked, hear, ids } = setUp();
    hear([1, 2]);
    expect(asked).toEqual([]);
    expect(ids()).toEqual([]);
  });

  it('lists a page, then what ends while the page looks on', async () => {
    const { store, open, hear, ids } = setUp();
    await open([3, 2, 1]);
    hear([4]);
    hear([5, 6]);
    expect(ids()).toEqual([6, 5, 4, 3, 2, 1]);
    expect(store.getState().older).toEqual({ status: 'none' });
  });

  it('loses nothing that ends while the first page is on its way', async () => {
    const { store, hear, answer, ids } = setUp();
    store.getState().open();
    hear([4]);
    hear([3]);
    await answer(rows([3, 2, 1]));
    expect(ids()).toEqual([4, 3, 2, 1]);
  });

  it('pages back by the last id, one page at a time', async () => {
    const { store, open, last, asked, answer, ids } = setUp();
    await open(range(500, 301));
    expect(store.getState().older).toEqual({ status: 'some' });
    void store.getState().loadOlder();
    void store.getState().loadOlder();
    expect(asked).toHaveLength(2);
    expect(last().input.before).toBe(301);
    await answer(rows(range(300, 250)));
    expect(ids()).toEqual(range(500, 250));
    expect(store.getState().older).toEqual({ status: 'none' });
  });

  it('offers older rows again after they could not be had', async () => {
    const { store, open, refuse, answer, ids } = setUp();
    await open(range(200, 1));
    void store.getState().loadOlder();
    await refuse(new RoundhouseError('shutting_down', 'gone'));
    expect(store.getState().older).toMatchObject({ status: 'failed', error: { message: 'gone' } });
    void store.getState().loadOlder();
    await answer([]);
    expect(ids()).toHaveLength(200);
    expect(store.getState().older).toEqual({ status: 'none' });
  });

  it('puts nothing in above a reader who is further down, and says how many wait', async () => {
    const { store, open, hear, ids } = setUp();
    await open([2, 1]);
    store.getState().follow(false);
    hear([3]);
    hear([4, 5]);
    expect(ids()).toEqual([2, 1]);
    expect(store.getState().unseen).toBe(3);
    store.getState().follow(true);
    expect(ids()).toEqual([5, 4, 3, 2, 1]);
    expect(store.getState().unseen).toBe(0);
  });

  it('only counts what ends when very much does, and asks for it when the reader is back', async () => {
    const { store, open, hear, clock, answer, ids } = setUp();
    await open([1]);
    store.getState().follow(false);
    hear(range(1_101, 2));
    expect(store.getState().unseen).toBe(1_100);
    store.getState().follow(true);
    clock.advance(1_000);
    await answer(rows(range(1_101, 602)));
    expect(ids()).toEqual(range(1_101, 602));
    expect(store.getState()).toMatchObject({ unseen: 0, older: { status: 'some' } });
  });

  it('asks anew for what was only counted, at most once a second', async () => {
    const { open, hear, clock, asked, last, answer, ids } = setUp();
    await open([2, 1]);
    hear([5], 2);
    hear([6], 3);
    expect(asked).toHaveLength(1);
    clock.advance(1_000);
    expect(asked).toHaveLength(2);
    expect(last().input.limit).toBe(500);
    await answer(rows(range(9, 1)));
    expect(ids()).toEqual(range(9, 1));
    clock.advance(10_000);
    expect(asked).toHaveLength(2);
  });

  it('asks again when more was missed while it was asking', async () => {
    const { open, hear, clock, asked, answer, ids } = setUp();
    await open([1]);
    hear([], 2);
    clock.advance(1_000);
    hear([], 1);
    await answer(rows([3, 2, 1]));
    clock.advance(1_000);
    expect(asked).toHaveLength(3);
    await answer(rows([4, 3, 2, 1]));
    expect(ids()).toEqual([4, 3, 2, 1]);
  });

  it('leaves no gap when so many were missed that a page does not reach down to the rest', async () => {
    const { store, open, hear, clock, answer, ids } = setUp();
    await open([2, 1]);
    hear([900], 897);
    clock.advance(1_000);
    await answer(rows(range(900, 401)));
    expect(ids()).toEqual(range(900, 401));
    expect(store.getState().older).toEqual({ status: 'some' });
    // The reader scrolls on, and gets what lay between.
    void store.getState().loadOlder();
    await answer(rows(range(400, 201)));
    expect(ids()).toEqual(range(900, 201));
  });

  it('looks again after the connection was lost', async () => {
    const { app, open, clock, answer, ids } = setUp();
    await open([2, 1]);
    app.setState({ connection: { status: 'reconnecting', reason: 'gone' } });
    app.setState({ connection: { status: 'connected' } });
    clock.advance(1_000);
    await answer(rows([4, 3, 2, 1]));
    expect(ids()).toEqual([4, 3, 2, 1]);
  });

  it('keeps a bounded number of rows while it only grows', async () => {
    const { store, open, hear, ids } = setUp();
    await open(range(200, 1));
    hear(range(MOST_KEPT + 100, 201).toReversed());
    hear([MOST_KEPT + 101]);
    expect(ids()).toHaveLength(MOST_KEPT);
    expect(ids()[0]).toBe(MOST_KEPT + 101);
    expect(store.getState().older).toEqual({ status: 'some' });
  });

  it('drops what was asked under other filters', async () => {
    const { store, asked, answer, ids, last } = setUp();
    store.getState().open();
    const first = last();
    store.getState().filter({ model: 'llama' });
    expect(asked[1]?.input.filters).toEqual({ model: 'llama' });
    await answer(rows([1]));
    await answer(rows([3, 2, 1]), first);
    expect(ids()).toEqual([1]);
  });

  it('takes in only what passes the filters', async () => {
    const { store, answer, hear, ids } = setUp();
    store.getState().open();
    store.getState().filter({ model: 'llama' });
    await answer([]);
    hear([1, 2]);
    expect(ids()).toEqual([]);
  });

  it('says why there is no list, and tries again when it is looked at again', async () => {
    const { store, refuse, answer, ids } = setUp();
    store.getState().open();
    await refuse(new RoundhouseError('shutting_down', 'Roundhouse does not answer.'));
    expect(store.getState().list).toMatchObject({ status: 'failed', error: { code: 'shutting_down' } });
    store.getState().open();
    await answer(rows([1]));
    expect(ids()).toEqual([1]);
  });
});

describe('one request', () => {
  it('shows its row at once and the rest when it is there', async () => {
    const { store, answer, last } = setUp();
    const row = fakeRequest(7, { tryCount: 2 });
    store.getState().select(row);
    expect(store.getState().selected).toEqual({ row, detail: null, error: null });
    expect(last()).toMatchObject({ name: 'usage.request', input: { id: 7 } });
    await answer(fakeDetail(row, true));
    expect(store.getState().selected?.detail?.tries).toHaveLength(2);
  });

  it('drops the details of one that is not looked at any more', async () => {
    const { store, answer, last } = setUp();
    store.getState().select(fakeRequest(7));
    const first = last();
    store.getState().select(fakeRequest(8));
    await answer(fakeDetail(fakeRequest(7), true), first);
    expect(store.getState().selected).toMatchObject({ row: { id: 8 }, detail: null });
    store.getState().select(null);
    await answer(fakeDetail(fakeRequest(8), true));
    expect(store.getState().selected).toBeNull();
  });

  it('can be asked for again after it could not be had', async () => {
    const { store, refuse, answer, asked } = setUp();
    store.getState().select(fakeRequest(7));
    store.getState().select(fakeRequest(7));
    expect(asked).toHaveLength(1);
    await refuse(new RoundhouseError('not_found', 'no request has the id 7'));
    expect(store.getState().selected?.error?.code).toBe('not_found');
    store.getState().select(fakeRequest(7));
    await answer(fakeDetail(fakeRequest(7), true));
    expect(store.getState().selected).toMatchObject({ error: null, detail: { id: 7 } });
  });
});

it('offers what past requests had, that of most requests first', async () => {
  const { store, answer, last } = setUp();
  void store.getState().loadChoices('contentType');
  expect(last()).toMatchObject({ name: 'usage.costs', input: { by: 'content-type' } });
  const sum = {
    errors: 0,
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    costNanoDollars: 0,
    unpriced: 0,
  };
  const keys = [
    { ...sum, key: 'code', requests: 2 },
    { ...sum, key: null, requests: 90 },
    { ...sum, key: 'twitter', requests: 31 },
  ];
  await answer({ fromMs: 0, toMs: 1, days: [], keys, total: { ...sum, requests: 123 } });
  expect(store.getState().choices).toEqual({ contentType: ['twitter', 'code'] });
});
