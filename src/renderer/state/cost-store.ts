import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Clock } from '../../shared/clock.ts';
import { type ErrorJson, RoundhouseError } from '../../shared/errors.ts';
import type { BudgetView, CostKey, CostsView, SuggestionView } from '../../shared/usage-contract.ts';
import type { Transport } from '../transport/transport.ts';
import type { FetchUsage, UsageFormat } from '../transport/usage-files.ts';

/** How far back costs are summed, in days. */
export const COST_DAYS = [7, 30, 90] as const;
export type CostDays = (typeof COST_DAYS)[number];

export type ExportState =
  | { readonly status: 'idle' }
  | { readonly status: 'running' }
  | { readonly status: 'failed'; readonly format: UsageFormat; readonly error: ErrorJson };

export interface CostState {
  readonly by: CostKey;
  readonly days: CostDays;
  /** The last answer, also while another one is on its way; `null` before the first. */
  readonly costs: CostsView | null;
  /** By what `costs` are. */
  readonly costsBy: CostKey;
  readonly budgets: readonly BudgetView[] | null;
  readonly suggestions: readonly SuggestionView[] | null;
  /** Why the last look failed; the figures are those of the one before. */
  readonly error: ErrorJson | null;
  readonly exporting: ExportState;
  /** Whether requests can be had as a file here. */
  readonly canExport: boolean;
  /** Asks for what is shown, and again when requests end, until disposed. */
  look(): Disposable;
  show(changes: { readonly by?: CostKey; readonly days?: CostDays }): void;
  reload(): Promise<void>;
  /** The requests of the time that is shown. */
  exportRequests(format: UsageFormat): Promise<void>;
  cancelExport(): void;
  /** Requests ended: what they cost is asked for, soon. */
  hear(): void;
}

export type CostStore = StoreApi<CostState>;

export interface CostPorts {
  readonly transport: Pick<Transport, 'call'>;
  readonly clock: Clock;
  /** `null` where there are no files. */
  readonly fetchUsage: FetchUsage | null;
  readonly saveFile: (content: Blob, name: string) => void;
}

const DAY_MS = 86_400e3;
/** Sums over many rows are not asked for with every request that ends. */
const RENEW_MS = 5_000;

/** What was spent, by day and by what; budgets and suggestions beside it. */
export function createCostStore({ transport, clock, fetchUsage, saveFile }: CostPorts): CostStore {
  /** Answers to an earlier question are dropped. */
  let round = 0;
  let lookers = 0;
  let renewal: Disposable | null = null;
  let exportation: AbortController | null = null;

  return createStore<CostState>((set, get) => {
    /** Midnight, so that the first day is a whole one. */
    function fromMs(days: number): number {
      const from = new Date(clock.nowMs() - (days - 1) * DAY_MS);
      return new Date(from.getFullYear(), from.getMonth(), from.getDate()).getTime();
    }

    async function load(): Promise<void> {
      const asked = ++round;
      const { by, days } = get();
      try {
        const [costs, budgets, suggestions] = await Promise.all([
          transport.call('usage.costs', { by, fromMs: fromMs(days) }),
          transport.call('usage.budgets', {}),
          transport.call('usage.suggestions', {}),
        ]);
        if (asked === round) set({ costs, costsBy: by, budgets, suggestions, error: null });
      } catch (thrown) {
        if (asked === round) set({ error: RoundhouseError.from(thrown).toJSON() });
      }
    }

    return {
      by: 'model',
      days: 30,
      costs: null,
      costsBy: 'model',
      budgets: null,
      suggestions: null,
      error: null,
      exporting: { status: 'idle' },
      canExport: fetchUsage !== null,
      look() {
        lookers += 1;
        void load();
        return {
          [Symbol.dispose]: () => {
            lookers -= 1;
            if (lookers > 0) return;
            renewal?.[Symbol.dispose]();
            renewal = null;
          },
        };
      },
      show(changes) {
        set(changes);
        void load();
      },
      reload: load,
      async exportRequests(format) {
        if (fetchUsage === null || get().exporting.status === 'running') return;
        exportation = new AbortController();
        const { signal } = exportation;
        set({ exporting: { status: 'running' } });
        try {
          const content = await fetchUsage(format, fromMs(get().days), signal);
          if (signal.aborted) return;
          saveFile(content, `roundhouse-requests.${format}`);
          set({ exporting: { status: 'idle' } });
        } catch (thrown) {
          if (signal.aborted) return;
          set({ exporting: { status: 'failed', format, error: RoundhouseError.from(thrown).toJSON() } });
        }
      },
      cancelExport() {
        exportation?.abort();
        set({ exporting: { status: 'idle' } });
      },
      hear() {
        if (lookers === 0 || renewal !== null) return;
        renewal = clock.after(RENEW_MS, () => {
          renewal = null;
          void load();
        });
      },
    };
  });
}
