import { expect, it } from 'vitest';
import { fakeModel, fakeSnapshot } from '../../../test/fakes/fake-models.ts';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { ModelView } from '../../shared/contract.ts';
import type { Transport } from '../transport/transport.ts';
import { createSpeedStore, SAMPLES } from './speed-history.ts';
import { createAppStore } from './store.ts';

const READY = { status: 'ready', sinceMs: 0 } as const;

function setUp() {
  const clock = new ManualClock();
  // Nothing is asked of the app here.
  const app = createAppStore({} as Transport);
  const speed = createSpeedStore(app, clock);
  const show = (changes: Partial<ModelView>) =>
    app.setState({ snapshot: fakeSnapshot([fakeModel('a', { state: READY, ...changes })]) });
  return { clock, show, samples: () => speed.getState().samples.a };
}

it('notes each second how fast a model is, and 0 while it does nothing', () => {
  const { clock, show, samples } = setUp();
  show({ activeRequests: 1, lastTokensPerSecond: 40 });
  clock.advance(2_000);
  show({ activeRequests: 0, lastTokensPerSecond: 40 });
  clock.advance(1_000);
  expect(samples()).toEqual([40, 40, 0]);
});

it('race: an answer that begins and ends between two seconds is seen', () => {
  const { clock, show, samples } = setUp();
  show({ lastTokensPerSecond: null });
  clock.advance(1_000);
  show({ activeRequests: 1, lastTokensPerSecond: null });
  show({ activeRequests: 0, lastTokensPerSecond: 63 });
  clock.advance(2_000);
  expect(samples()).toEqual([0, 63, 0]);
});

it('keeps the last minute, and nothing of a model that is not loaded', () => {
  const { clock, show, samples } = setUp();
  show({});
  clock.advance(90_000);
  expect(samples()).toHaveLength(SAMPLES);
  show({ state: { status: 'unloaded' } });
  clock.advance(1_000);
  expect(samples()).toBeUndefined();
});
