import { describe, expect, it } from 'vitest';
import { costsView } from '../../../test/fakes/fake-costs.ts';
import { fakeBudgets, fakeSuggestion } from '../../../test/fakes/fake-usage.ts';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { Transport } from '../transport/transport.ts';
import type { FetchUsage } from '../transport/usage-files.ts';
import { createCostStore } from './cost-store.ts';

const NOON_MS = new Date(2026, 10, 21, 12).getTime();
const COSTS = costsView(NOON_MS, NOON_MS, [['2026-11-21', 'sonnet', 5]]);

/** A store over an app whose sums the test gives; budgets and suggestions are there at once. */
function setUp(files: { readonly fetchUsage?: FetchUsage } = {}) {
  const asked: { readonly input: unknown; readonly answer: PromiseWithResolvers<unknown> }[] = [];
  const others: Readonly<Record<string, unknown>> = {
    'usage.budgets': fakeBudgets(NOON_MS),
    'usage.suggestions': [fakeSuggestion()],
  };
  const clock = new ManualClock(NOON_MS);
  const saved: string[] = [];
  const store = createCostStore({
    transport: {
      // Each call is answered with what it asks for.
      call: ((name: string, input: unknown) => {
        if (name in others) return Promise.resolve(others[name]);
        const answer = Promise.withResolvers<unknown>();
        asked.push({ input, answer });
        return answer.promise;
      }) as Transport['call'],
    },
    clock,
    fetchUsage: files.fetchUsage ?? null,
    saveFile: (_content, name) => saved.push(name),
  });
  const settle = async () => {
    for (let turns = 0; turns < 5; turns += 1) await Promise.resolve();
  };
  return {
    store,
    clock,
    asked,
    saved,
    settle,
    answer: async (value: unknown, at = asked.length - 1) => {
      asked[at]?.answer.resolve(value);
      await settle();
    },
    refuse: async (error: Error) => {
      asked.at(-1)?.answer.reject(error);
      await settle();
    },
  };
}

describe('costs', () => {
  it('are asked for from midnight of the first of so many days on', async () => {
    const { store, asked, answer } = setUp();
    using _looking = store.getState().look();
    expect(asked[0]?.input).toEqual({ by: 'model', fromMs: new Date(2026, 9, 23).getTime() });
    await answer(COSTS);
    expect(store.getState()).toMatchObject({ costs: COSTS, costsBy: 'model', error: null });
    expect(store.getState().budgets).toHaveLength(3);
    expect(store.getState().suggestions).toHaveLength(1);
  });

  it('stay until those by something else are there', async () => {
    const { store, asked, answer } = setUp();
    using _looking = store.getState().look();
    await answer(COSTS);
    store.getState().show({ by: 'user', days: 7 });
    expect(asked[1]?.input).toEqual({ by: 'user', fromMs: new Date(2026, 10, 15).getTime() });
    expect(store.getState()).toMatchObject({ costs: COSTS, costsBy: 'model' });
    const byUser = { ...COSTS, keys: [] };
    await answer(byUser);
    expect(store.getState()).toMatchObject({ costs: byUser, costsBy: 'user' });
  });

  it('are those that were asked for last, whatever comes last', async () => {
    const { store, answer } = setUp();
    using _looking = store.getState().look();
    store.getState().show({ by: 'user' });
    const byUser = { ...COSTS, keys: [] };
    await answer(byUser, 1);
    await answer(COSTS, 0);
    expect(store.getState()).toMatchObject({ costs: byUser, costsBy: 'user' });
  });

  it('are renewed once in five seconds while requests end and somebody looks', async () => {
    const { store, asked, answer, clock } = setUp();
    const looking = store.getState().look();
    await answer(COSTS);
    store.getState().hear();
    store.getState().hear();
    clock.advance(4_999);
    expect(asked).toHaveLength(1);
    clock.advance(1);
    expect(asked).toHaveLength(2);
    store.getState().hear();
    looking[Symbol.dispose]();
    store.getState().hear();
    clock.advance(60_000);
    expect(asked).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keep the last figures when the next cannot be had, and say why', async () => {
    const { store, answer, refuse } = setUp();
    using _looking = store.getState().look();
    await answer(COSTS);
    void store.getState().reload();
    await refuse(new RoundhouseError('shutting_down', 'Roundhouse does not answer.'));
    expect(store.getState()).toMatchObject({ costs: COSTS, error: { code: 'shutting_down' } });
    void store.getState().reload();
    await answer(COSTS);
    expect(store.getState().error).toBeNull();
  });
});

describe('requests as a file', () => {
  it('are saved, from the first day that is shown on', async () => {
    const asked: unknown[] = [];
    const { store, saved } = setUp({
      fetchUsage: async (format, fromMs) => {
        asked.push([format, fromMs]);
        return new Blob(['id\r\n']);
      },
    });
    await store.getState().exportRequests('csv');
    expect(asked).toEqual([['csv', new Date(2026, 9, 23).getTime()]]);
    expect(saved).toEqual(['roundhouse-requests.csv']);
    expect(store.getState().exporting).toEqual({ status: 'idle' });
  });

  it('are not saved when that was cancelled', async () => {
    const file = Promise.withResolvers<Blob>();
    const { store, saved } = setUp({ fetchUsage: () => file.promise });
    const exporting = store.getState().exportRequests('jsonl');
    expect(store.getState().exporting).toEqual({ status: 'running' });
    store.getState().cancelExport();
    file.resolve(new Blob([]));
    await exporting;
    expect(saved).toEqual([]);
    expect(store.getState().exporting).toEqual({ status: 'idle' });
  });

  it('say why they could not be had', async () => {
    const { store, saved } = setUp({
      fetchUsage: () => Promise.reject(new RoundhouseError('internal_error', 'The disk is full.')),
    });
    await store.getState().exportRequests('jsonl');
    expect(store.getState().exporting).toMatchObject({
      status: 'failed',
      format: 'jsonl',
      error: { message: 'The disk is full.' },
    });
    expect(saved).toEqual([]);
  });
});
