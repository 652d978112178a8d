import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Clock } from '../../shared/clock.ts';
import type { ModelView } from '../../shared/contract.ts';
import { isResident } from './describe-model.ts';
import type { AppStore } from './store.ts';

/** Tokens per second of each model, one figure a second, newest last; 0 while it does nothing. */
export interface SpeedHistory {
  readonly samples: Readonly<Record<string, readonly number[]>>;
}

export type SpeedStore = StoreApi<SpeedHistory>;

export const SAMPLES = 60;
const SAMPLE_MS = 1_000;

/** Remembers the last minute from what the app tells; a minute that this page has not seen is not made up. */
export function createSpeedStore(app: AppStore, clock: Clock): SpeedStore {
  const store = createStore<SpeedHistory>(() => ({ samples: {} }));
  /** Models that worked since the last sample: a short answer may begin and end between two. */
  const worked = new Set<string>();

  app.subscribe(({ snapshot }, before) => {
    if (snapshot === before.snapshot || snapshot === null) return;
    for (const model of snapshot.models) {
      const old = before.snapshot?.models.find((other) => other.id === model.id);
      if (old !== undefined && old !== model && answered(old, model)) worked.add(model.id);
    }
  });

  clock.every(SAMPLE_MS, () => {
    const models = app.getState().snapshot?.models ?? [];
    const { samples } = store.getState();
    const next = models.filter(isResident).map((model) => {
      const busy = model.activeRequests > 0 || worked.has(model.id);
      const speed = busy ? (model.lastTokensPerSecond ?? 0) : 0;
      return [model.id, [...(samples[model.id] ?? []), speed].slice(-SAMPLES)] as const;
    });
    worked.clear();
    store.setState({ samples: Object.fromEntries(next) });
  });
  return store;
}

function answered(before: ModelView, now: ModelView): boolean {
  return (
    before.lastTokensPerSecond !== now.lastTokensPerSecond || before.lastFirstTokenMs !== now.lastFirstTokenMs
  );
}
