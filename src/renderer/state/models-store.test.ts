import { describe, expect, it } from 'vitest';
import { FAKE_CATALOG } from '../../../test/fakes/fake-remote.ts';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { CallInput } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { RemoteModelView } from '../../shared/provider-contract.ts';
import type { Transport } from '../transport/transport.ts';
import { createModelsStore } from './models-store.ts';

const SEARCH_MS = 1_000;

/** A store over a catalog whose answers are given by hand, in any order. */
function setUp() {
  const clock = new ManualClock();
  const searches: {
    readonly input: CallInput<'models.search'>;
    readonly answer: PromiseWithResolvers<readonly RemoteModelView[]>;
  }[] = [];
  let measured = 0;
  const transport = {
    call(name: string, input: CallInput<'models.search'>) {
      if (name === 'usage.latency') {
        measured += 1;
        return Promise.resolve([{ key: 'mistral' }, { key: null }]);
      }
      const answer = Promise.withResolvers<readonly RemoteModelView[]>();
      searches.push({ input, answer });
      return answer.promise;
    },
    // Nothing else is asked of the app here.
  } as unknown as Transport;
  const store = createModelsStore(transport, clock);
  /** Resolves once the answers that were given have come through. */
  const passed = async () => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  return { state: () => store.getState(), searches, clock, passed, measured: () => measured };
}

describe('a search', () => {
  it('is asked once when the typing rests', () => {
    const { state, searches, clock } = setUp();
    for (const text of ['g', 'gp', 'gpt ']) {
      state().setText(text);
      clock.advance(20);
    }
    expect(searches).toHaveLength(0);
    expect(state().found.status).toBe('loading');
    clock.advance(SEARCH_MS);
    state().setNeed('image_input', 'required');
    state().setNeed('audio_input', 'preferred');
    clock.advance(SEARCH_MS);
    expect(searches.map(({ input }) => input)).toMatchObject([
      { text: 'gpt', required: [], preferred: [] },
      { text: 'gpt', required: ['image_input'], preferred: ['audio_input'] },
    ]);
  });

  it('race: an answer to what is not looked for any more is dropped', async () => {
    const { state, searches, clock, passed } = setUp();
    state().setText('gpt');
    clock.advance(SEARCH_MS);
    state().setText('claude');
    clock.advance(SEARCH_MS);
    searches[1]?.answer.resolve(FAKE_CATALOG.slice(0, 1));
    await passed();
    searches[0]?.answer.resolve(FAKE_CATALOG);
    await passed();
    expect(state().found).toMatchObject({ status: 'ready', models: FAKE_CATALOG.slice(0, 1) });
  });

  it('race: nothing appears after it was cleared', async () => {
    const { state, searches, clock, passed } = setUp();
    state().setNeed('code', 'required');
    clock.advance(SEARCH_MS);
    state().setNeed('code', null);
    searches[0]?.answer.resolve(FAKE_CATALOG);
    await passed();
    expect(state().found).toEqual({ status: 'idle', models: [], error: null });
    expect(clock.pendingTimers).toBe(0);
  });

  it('says why it failed, and is asked again', async () => {
    const { state, searches, clock, passed } = setUp();
    state().setText('gpt');
    clock.advance(SEARCH_MS);
    searches[0]?.answer.reject(new RoundhouseError('internal_error', 'the catalog is away'));
    await passed();
    expect(state().found).toMatchObject({ status: 'failed', error: { message: 'the catalog is away' } });
    void state().searchAgain();
    expect(state().found).toMatchObject({ status: 'loading', error: null });
    searches[1]?.answer.resolve([]);
    await passed();
    expect(state().found.status).toBe('ready');
  });
});

it('measures while somebody looks, and not after', async () => {
  const { state, clock, measured, passed } = setUp();
  const stop = state().watch();
  await passed();
  expect(Object.keys(state().latency)).toEqual(['mistral']);
  clock.advance(60_000);
  expect(measured()).toBe(3);
  stop();
  clock.advance(600_000);
  expect(measured()).toBe(3);
});
