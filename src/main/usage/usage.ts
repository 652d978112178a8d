import type { Clock } from '../../shared/clock.ts';
import type { Budget } from '../../shared/usage-contract.ts';
import { Budgets } from './budgets.ts';
import type { DataStore } from './data-store.ts';
import type { LocalModel } from './suggest.ts';
import { createUsageCalls, type UsageHandlers } from './usage-calls.ts';
import { UsageLog } from './usage-log.ts';

const FIRST_SWEEP_MS = 60_000;
const SWEEP_MS = 3600e3;

export interface UsageSettings {
  /** `logging.content` */
  readonly keepsTexts: boolean;
  /** `usage.retention`; `null` keeps rows for ever. */
  readonly retentionMs: number | null;
  readonly budgets: readonly Budget[];
}

export interface UsagePorts {
  readonly clock: Clock;
  readonly store: DataStore;
  /** Local models with a latency target, for suggestions. */
  readonly localModels: () => readonly LocalModel[];
  /** A sentence for people: a decision, and a line in the log. */
  readonly say: (text: string) => void;
}

/** Everything about usage and cost, joined: rows, budgets, what the interface asks, and how long it is kept. */
export class Usage {
  readonly log: UsageLog;
  readonly budgets: Budgets;
  readonly calls: UsageHandlers;
  readonly #ports: UsagePorts;
  readonly #sweeps: readonly Disposable[];
  #settings: UsageSettings;
  #sweepWanted = false;
  #sweeping: Promise<void> | null = null;

  private constructor(ports: UsagePorts, settings: UsageSettings) {
    const { clock, store, say } = ports;
    this.#ports = ports;
    this.#settings = settings;
    const log = new UsageLog({
      clock,
      store,
      keepsTexts: () => this.#settings.keepsTexts,
      onTrouble: say,
    });
    this.log = log;
    this.budgets = new Budgets({
      clock,
      raised: store.alerts,
      onAlert: say,
      rows: {
        sums: (wanted) => {
          // What is settled until now is in the rows, and they are on their way before the question is.
          log.flush();
          return store.call('spent', wanted);
        },
        saveAlert: (alert) => void store.call('saveAlert', alert).catch(() => undefined),
      },
    });
    this.calls = createUsageCalls({
      store,
      log,
      clock,
      budgets: this.budgets,
      localModels: ports.localModels,
    });
    this.#sweeps = [
      clock.after(FIRST_SWEEP_MS, () => void this.sweep()),
      clock.every(SWEEP_MS, () => void this.sweep()),
    ];
  }

  /** Resolves when the budgets know what is spent. */
  static async start(ports: UsagePorts, settings: UsageSettings): Promise<Usage> {
    const usage = new Usage(ports, settings);
    await usage.budgets.configure(settings.budgets);
    return usage;
  }

  async configure(settings: UsageSettings): Promise<void> {
    const forgetsTexts = this.#settings.keepsTexts && !settings.keepsTexts;
    this.#settings = settings;
    await this.budgets.configure(settings.budgets);
    if (forgetsTexts) await this.sweep();
  }

  /**
   * Deletes what is older than `usage.retention` and what no budget needs, and texts once none are to be kept. One at a
   * time; resolves when one has ended that began after this was called.
   */
  sweep(): Promise<void> {
    this.#sweepWanted = true;
    this.#sweeping ??= this.#sweepWhileWanted().finally(() => {
      this.#sweeping = null;
    });
    return this.#sweeping;
  }

  async #sweepWhileWanted(): Promise<void> {
    while (this.#sweepWanted) {
      this.#sweepWanted = false;
      const { retentionMs, keepsTexts } = this.#settings;
      const oldestMs = retentionMs === null ? 0 : this.#ports.clock.nowMs() - retentionMs;
      const beforeMs = Math.min(oldestMs, this.budgets.neededFromMs() ?? oldestMs);
      // What fails is tried again by the next one; a disk that takes nothing is said by the log.
      await this.#ports.store.call('sweep', { beforeMs, keepTexts: keepsTexts }).catch(() => undefined);
    }
  }

  /** Resolves when all rows are written. The store is closed by whoever opened it. */
  async close(): Promise<void> {
    for (const sweep of this.#sweeps) sweep[Symbol.dispose]();
    await this.log.close();
  }
}
