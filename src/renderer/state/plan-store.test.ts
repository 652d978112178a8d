import { expect, it } from 'vitest';
import { fakeModel, fakeSnapshot } from '../../../test/fakes/fake-models.ts';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { ModelView, PlanView } from '../../shared/contract.ts';
import type { Transport } from '../transport/transport.ts';
import { createPlanStore } from './plan-store.ts';
import { createAppStore } from './store.ts';

const READY = { status: 'ready', sinceMs: 0 } as const;
const LONG_MS = 1_000;

function setUp() {
  const clock = new ManualClock();
  const asked: { id: string; answer: (text: string) => Promise<void> }[] = [];
  const transport = {
    // Only plans are asked for here.
    call: (_name: string, { id }: { id: string }) =>
      new Promise<PlanView>((resolve) => {
        const numbers = { neededBytes: 1, freeBytes: 2, budgetBytes: 3 };
        const answer = async (text: string) => {
          resolve({ outcome: 'fits', ...numbers, victims: [], text });
          await Promise.resolve();
          await Promise.resolve();
          await Promise.resolve();
        };
        asked.push({ id, answer });
      }),
  } as unknown as Transport;
  const app = createAppStore(transport);
  const plans = createPlanStore(transport, app, clock);
  const show = (...models: ModelView[]) => app.setState({ snapshot: fakeSnapshot(models) });
  show(fakeModel('a'), fakeModel('b'), fakeModel('c', { state: READY }));
  return { clock, asked, show, plans: () => plans.getState() };
}

it('asks for what is pointed at for a moment, not for what is passed', async () => {
  const { clock, asked, plans } = setUp();
  plans().point('a');
  plans().leave('a');
  plans().point('b');
  clock.advance(LONG_MS);
  expect(asked.map(({ id }) => id)).toEqual(['b']);
  await asked[0]?.answer('b fits');
  expect(plans().plan?.text).toBe('b fits');
  plans().leave('b');
  expect(plans()).toMatchObject({ pointed: null, plan: null });
});

it('keeps an answer until the state of the app changes', async () => {
  const { clock, asked, show, plans } = setUp();
  plans().point('a');
  clock.advance(LONG_MS);
  await asked[0]?.answer('old');
  plans().leave('a');
  plans().point('a');
  expect(plans().plan?.text).toBe('old');
  // Faster, and nothing else: no plan hangs on that.
  show(fakeModel('a'), fakeModel('b'), fakeModel('c', { state: READY, lastTokensPerSecond: 50 }));
  clock.advance(LONG_MS);
  expect(asked).toHaveLength(1);

  show(fakeModel('a'), fakeModel('b', { state: READY }), fakeModel('c', { state: READY }));
  expect(plans().plan?.text).toBe('old');
  clock.advance(LONG_MS);
  await asked[1]?.answer('new');
  expect(plans().plan?.text).toBe('new');
});

it('race: an answer for a state that has passed is not shown', async () => {
  const { clock, asked, show, plans } = setUp();
  plans().point('a');
  clock.advance(LONG_MS);
  show(fakeModel('a'), fakeModel('b', { state: READY }), fakeModel('c', { state: READY }));
  await asked[0]?.answer('old');
  expect(plans().plan).toBeNull();
});

it('race: what is pointed at begins to load, and is not there to be left', () => {
  const { show, plans } = setUp();
  plans().point('a');
  show(fakeModel('a', { state: { status: 'loading', sinceMs: 0, progress: 0 } }), fakeModel('b'));
  expect(plans().pointed).toBeNull();
});
