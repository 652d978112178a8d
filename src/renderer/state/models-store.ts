import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Capability } from '../../shared/capabilities.ts';
import type { Clock } from '../../shared/clock.ts';
import { type ErrorJson, RoundhouseError } from '../../shared/errors.ts';
import type { RemoteModelView } from '../../shared/provider-contract.ts';
import type { LatencyRow } from '../../shared/usage-contract.ts';
import type { Transport } from '../transport/transport.ts';
import { capabilitiesOf, isSearching, type ModelSearch, type Need, NO_SEARCH } from './filter-models.ts';
import { without } from './without.ts';

/** What the catalog and the providers have besides what is registered. Old finds stay until there are new ones. */
export interface Found {
  readonly status: 'idle' | 'loading' | 'ready' | 'failed';
  readonly models: readonly RemoteModelView[];
  readonly error: ErrorJson | null;
}

export interface ModelsState {
  readonly search: ModelSearch;
  readonly found: Found;
  /** The id of the model that is looked at. */
  readonly selected: string | null;
  /** How fast each model was in the last 24 hours, by id. */
  readonly latency: Readonly<Record<string, LatencyRow>>;
  setText(text: string): void;
  /** `null` = it does not matter. */
  setNeed(capability: Capability, need: Need | null): void;
  clear(): void;
  searchAgain(): Promise<void>;
  select(id: string | null): void;
  /** Keeps `latency` new until the function it returns is called. */
  watch(): () => void;
}

export type ModelsStore = StoreApi<ModelsState>;

/** Who types on asks for nothing. */
const SEARCH_DELAY_MS = 150;
const LATENCY_EVERY_MS = 30_000;
const MOST_FOUND = 40;
const NOTHING: Found = { status: 'idle', models: [], error: null };

/** What is looked for among the models, which one is looked at, and how fast they were. */
export function createModelsStore(transport: Transport, clock: Clock): ModelsStore {
  /** An answer to what is not looked for any more is dropped. */
  let round = 0;
  let timer: Disposable | null = null;

  return createStore<ModelsState>((set, get) => {
    function look(search: ModelSearch): void {
      round += 1;
      timer?.[Symbol.dispose]();
      if (!isSearching(search)) {
        set({ search, found: NOTHING });
        return;
      }
      set((state) => ({ search, found: { ...state.found, status: 'loading', error: null } }));
      timer = clock.after(SEARCH_DELAY_MS, () => void get().searchAgain());
    }

    async function measure(): Promise<void> {
      // What cannot be had is not shown; the next time may be better.
      const rows = await transport.call('usage.latency', { by: 'model' }).catch(() => null);
      if (rows === null) return;
      const named = rows.flatMap((row) => (row.key === null ? [] : [[row.key, row] as const]));
      set({ latency: Object.fromEntries(named) });
    }

    return {
      search: NO_SEARCH,
      found: NOTHING,
      selected: null,
      latency: {},
      setText: (text) => look({ ...get().search, text }),
      setNeed(capability, need) {
        const { search } = get();
        const others = without(search.needs, capability);
        look({ ...search, needs: need === null ? others : { ...others, [capability]: need } });
      },
      clear: () => look(NO_SEARCH),
      async searchAgain() {
        const asked = ++round;
        const { text, needs } = get().search;
        set((state) => ({ found: { ...state.found, status: 'loading', error: null } }));
        const found = await transport
          .call('models.search', {
            text: text.trim(),
            required: capabilitiesOf(needs, 'required'),
            preferred: capabilitiesOf(needs, 'preferred'),
            limit: MOST_FOUND,
          })
          .then(
            (models): Found => ({ status: 'ready', models, error: null }),
            (thrown: unknown): Found => ({
              status: 'failed',
              models: [],
              error: RoundhouseError.from(thrown).toJSON(),
            }),
          );
        if (asked === round) set({ found });
      },
      select: (id) => set({ selected: id }),
      watch() {
        void measure();
        const every = clock.every(LATENCY_EVERY_MS, () => void measure());
        return () => every[Symbol.dispose]();
      },
    };
  });
}
