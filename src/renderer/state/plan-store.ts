import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Clock } from '../../shared/clock.ts';
import type { PlanView, Snapshot } from '../../shared/contract.ts';
import type { Transport } from '../transport/transport.ts';
import type { AppStore } from './store.ts';

export interface PlanState {
  /** The model that is pointed at, by pointer or keyboard. */
  readonly pointed: string | null;
  /** What loading it would do; `null` until the app has said so. */
  readonly plan: PlanView | null;
  point(id: string): void;
  /** Does nothing when something else has been pointed at since. */
  leave(id: string): void;
}

export type PlanStore = StoreApi<PlanState>;

/** A pointer on its way to elsewhere asks for nothing. */
const DELAY_MS = 90;
const STEP_BYTES = 16 * 1024 ** 2;

/** What loading the model pointed at would do: asked once, kept until the state of the app changes. */
export function createPlanStore(transport: Transport, app: AppStore, clock: Clock): PlanStore {
  const known = new Map<string, PlanView>();
  let knownFor = '';
  let timer: Disposable | null = null;

  const store = createStore<PlanState>((set, get) => {
    async function ask(id: string): Promise<void> {
      const askedFor = knownFor;
      // What cannot be planned is not drawn; loading it says why.
      const plan = await transport.call('models.plan', { id }).catch(() => null);
      if (plan === null || askedFor !== knownFor) return;
      known.set(id, plan);
      if (get().pointed === id) set({ plan });
    }

    return {
      pointed: null,
      plan: null,
      point(id) {
        timer?.[Symbol.dispose]();
        const plan = known.get(id) ?? null;
        set({ pointed: id, plan });
        timer = plan === null ? clock.after(DELAY_MS, () => void ask(id)) : null;
      },
      leave(id) {
        if (get().pointed !== id) return;
        timer?.[Symbol.dispose]();
        set({ pointed: null, plan: null });
      },
    };
  });

  app.subscribe(({ snapshot }, before) => {
    if (snapshot === before.snapshot || snapshot === null) return;
    const now = whatPlansHangOn(snapshot);
    if (now === knownFor) return;
    knownFor = now;
    known.clear();
    const { pointed, plan, point, leave } = store.getState();
    if (pointed === null) return;
    const status = snapshot.models.find((model) => model.id === pointed)?.state.status;
    // Its load has begun, or it is gone: what was pointed at is not there any more, and nobody says that it was left.
    if (status !== 'unloaded' && status !== 'failed') {
      leave(pointed);
      return;
    }
    point(pointed);
    // The old plan stays on the bar until the new one is there.
    store.setState({ plan });
  });
  return store;
}

/** Equal as long as no plan can have changed; streaming alone does not change it. */
function whatPlansHangOn({ models, memory }: Snapshot): string {
  const states = models.map((model) =>
    [model.id, model.state.status, model.pinned, model.activeRequests > 0].join(' '),
  );
  const bytes = [memory.budgetBytes, memory.reservedBytes].map((value) => Math.round(value / STEP_BYTES));
  // What other programs hold is never still.
  const otherBytes = Math.round(memory.otherBytes / (16 * STEP_BYTES));
  return [...states, ...bytes, otherBytes].join('\n');
}
