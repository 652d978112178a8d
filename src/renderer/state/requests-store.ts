import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Clock } from '../../shared/clock.ts';
import { type ErrorJson, RoundhouseError } from '../../shared/errors.ts';
import type { UsageDetailView, UsageEvent, UsageRequestView } from '../../shared/usage-contract.ts';
import type { Transport } from '../transport/transport.ts';
import { mergeRequests } from './merge-requests.ts';
import {
  matches,
  NO_FILTERS,
  type RequestFilters,
  toUsageFilters,
  VALUE_FILTERS,
  type ValueFilter,
} from './request-filters.ts';
import type { AppStore } from './store.ts';

/** What is known of the rows: nothing yet, them, or why not. */
export type ListState =
  | { readonly status: 'loading' }
  | { readonly status: 'ready' }
  | { readonly status: 'failed'; readonly error: ErrorJson };

/** Whether there are older rows than those listed. */
export type OlderState =
  | { readonly status: 'none' | 'some' | 'loading' }
  | { readonly status: 'failed'; readonly error: ErrorJson };

/** One request that is looked at: its row at once, the rest when it is there. */
export interface SelectedRequest {
  readonly row: UsageRequestView;
  readonly detail: UsageDetailView | null;
  readonly error: ErrorJson | null;
}

export interface RequestsState {
  readonly filters: RequestFilters;
  readonly list: ListState;
  /** The newest first, each once. */
  readonly rows: readonly UsageRequestView[];
  readonly older: OlderState;
  /** How many ended while the reader was further down; they are taken in at the top. */
  readonly unseen: number;
  /** Values to filter by, those of most requests first; asked for when a menu opens. */
  readonly choices: Readonly<Partial<Record<ValueFilter, readonly string[]>>>;
  readonly selected: SelectedRequest | null;
  /** The list is looked at: what is not there is asked for. */
  open(): void;
  filter(changes: Partial<RequestFilters>): void;
  reload(): Promise<void>;
  loadOlder(): Promise<void>;
  /** Whether the reader is at the top. Elsewhere nothing is put in above them. */
  follow(atTop: boolean): void;
  loadChoices(filter: ValueFilter): Promise<void>;
  select(row: UsageRequestView | null): void;
  /** Requests ended. */
  hear(event: UsageEvent): void;
}

export type RequestsStore = StoreApi<RequestsState>;

const PAGE = 200;
/** As much as the app gives at once. Not taken from the contract: its schemas would come into the page with it. */
const LONG_PAGE = 500;
/** Beyond this the oldest are left out while the reader is at the top; they come back by scrolling. */
export const MOST_KEPT = 10_000;
/** Kept for a reader who is further down. */
const MOST_HELD = 1_000;
/** What was missed is asked for at most this often. */
const CATCH_UP_MS = 1_000;

/** The requests, the newest first: pages from the app, and those that end while the page looks on. */
export function createRequestsStore(transport: Transport, app: AppStore, clock: Clock): RequestsStore {
  /** Answers to what was asked under other filters are dropped. */
  let round = 0;
  let opened = false;
  let atTop = true;
  /** Ended, not listed yet. */
  let held: readonly UsageRequestView[] = [];
  /** More ended than were told, above the row `wholeTo`; below it nothing is missing. */
  let missed = 0;
  let wholeTo = 0;
  let catchingUp = false;

  const store = createStore<RequestsState>((set, get) => {
    async function loadFirst(): Promise<void> {
      const asked = ++round;
      held = [];
      missed = 0;
      set({ list: { status: 'loading' }, rows: [], older: { status: 'none' }, unseen: 0 });
      try {
        const page = await ask(PAGE);
        if (asked !== round) return;
        wholeTo = page[0]?.id ?? 0;
        set({
          list: { status: 'ready' },
          rows: page,
          older: { status: page.length < PAGE ? 'none' : 'some' },
        });
        takeIn();
      } catch (thrown) {
        if (asked === round) set({ list: { status: 'failed', error: errorOf(thrown) } });
      }
    }

    const ask = (limit: number, before?: number) =>
      transport.call('usage.requests', {
        limit,
        filters: toUsageFilters(get().filters, clock.nowMs()),
        ...(before === undefined ? {} : { before }),
      });

    /** Lists what has ended, unless the reader is further down. */
    function takeIn(): void {
      if (get().list.status !== 'ready') return;
      if (!atTop) {
        const unseen = held.length + missed;
        if (unseen !== get().unseen) set({ unseen });
        return;
      }
      if (missed > 0 && !catchingUp) {
        catchingUp = true;
        clock.after(CATCH_UP_MS, () => void lookAgain());
      }
      if (held.length === 0 && get().unseen === 0) return;
      const rows = mergeRequests(get().rows, held);
      held = [];
      if (missed === 0) wholeTo = rows[0]?.id ?? wholeTo;
      const kept = rows.length > MOST_KEPT ? rows.slice(0, MOST_KEPT) : rows;
      set({ rows: kept, unseen: 0, ...(kept === rows ? {} : { older: { status: 'some' } }) });
    }

    /** The newest anew. When they do not reach down to what is listed without a gap, they take its place. */
    async function lookAgain(): Promise<void> {
      const asked = round;
      const missedBefore = missed;
      try {
        const page = await ask(LONG_PAGE);
        catchingUp = false;
        if (asked !== round) return;
        const last = page.at(-1);
        const reaches = page.length < LONG_PAGE || last === undefined || last.id <= wholeTo;
        const newer = get().rows.filter((row) => row.id > (page[0]?.id ?? 0));
        missed = Math.max(0, missed - missedBefore);
        wholeTo = page[0]?.id ?? wholeTo;
        set(
          reaches
            ? { rows: mergeRequests(get().rows, page) }
            : { rows: mergeRequests(page, newer), older: { status: 'some' } },
        );
        takeIn();
      } catch {
        // The next event, or the connection that comes back, tries again.
        catchingUp = false;
      }
    }

    return {
      filters: NO_FILTERS,
      list: { status: 'loading' },
      rows: [],
      older: { status: 'none' },
      unseen: 0,
      choices: {},
      selected: null,
      open() {
        if (opened && get().list.status !== 'failed') return;
        opened = true;
        void loadFirst();
      },
      filter(changes) {
        set((state) => ({ filters: { ...state.filters, ...changes } }));
        void loadFirst();
      },
      reload: loadFirst,
      async loadOlder() {
        const { rows, older, list } = get();
        const last = rows.at(-1);
        if (list.status !== 'ready' || last === undefined) return;
        if (older.status === 'none' || older.status === 'loading') return;
        const asked = round;
        set({ older: { status: 'loading' } });
        try {
          const page = await ask(PAGE, last.id);
          if (asked !== round) return;
          const status = page.length < PAGE ? 'none' : 'some';
          set((state) => ({ rows: mergeRequests(state.rows, page), older: { status } }));
        } catch (thrown) {
          if (asked === round) set({ older: { status: 'failed', error: errorOf(thrown) } });
        }
      },
      follow(isAtTop) {
        atTop = isAtTop;
        takeIn();
      },
      async loadChoices(filter) {
        const costs = await transport.call('usage.costs', { by: VALUE_FILTERS[filter] }).catch(() => null);
        if (costs === null) return;
        const values = costs.keys
          .toSorted((a, b) => b.requests - a.requests)
          .flatMap(({ key }) => (key === null ? [] : [key]));
        set((state) => ({ choices: { ...state.choices, [filter]: values } }));
      },
      select(row) {
        if (row === null) {
          set({ selected: null });
          return;
        }
        if (row.id === get().selected?.row.id && get().selected?.error === null) return;
        set({ selected: { row, detail: null, error: null } });
        const still = (state: RequestsState) => state.selected?.row.id === row.id;
        transport.call('usage.request', { id: row.id }).then(
          (detail) => set((state) => (still(state) ? { selected: { row, detail, error: null } } : {})),
          (thrown) =>
            set((state) => (still(state) ? { selected: { row, detail: null, error: errorOf(thrown) } } : {})),
        );
      },
      hear({ rows, missed: more }) {
        if (!opened) return;
        const { filters } = get();
        const nowMs = clock.nowMs();
        held = [...held, ...rows.filter((row) => matches(row, filters, nowMs))];
        missed += more;
        if (!atTop && held.length > MOST_HELD) {
          // They are asked for again when the reader comes back.
          missed += held.length;
          held = [];
        }
        takeIn();
      },
    };
  });

  app.subscribe(({ connection }, before) => {
    if (connection.status !== 'connected' || before.connection.status !== 'reconnecting') return;
    if (!opened) return;
    const { list, reload } = store.getState();
    if (list.status === 'failed') void reload();
    else {
      // Nobody knows how many ended meanwhile.
      missed += 1;
      store.getState().follow(atTop);
    }
  });
  return store;
}

function errorOf(thrown: unknown): ErrorJson {
  return RoundhouseError.from(thrown).toJSON();
}
