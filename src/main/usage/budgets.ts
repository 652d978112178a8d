import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { Budget, BudgetView } from '../../shared/usage-contract.ts';
import { type Alert, alertKey, BudgetBook, budgetKey, type Spending, type SumWanted } from './budget-book.ts';
import { alertText, refusalText } from './budget-words.ts';

/** What budgets keep in the database. */
export interface BudgetRows {
  /** Sums of the rows that were recorded before this was asked. */
  sums(wanted: readonly SumWanted[]): Promise<readonly number[]>;
  saveAlert(alert: AlertRow): void;
}

export interface AlertRow {
  readonly budget: string;
  readonly periodStartMs: number;
  readonly share: number;
  readonly atMs: number;
}

export interface BudgetPorts {
  readonly clock: Clock;
  readonly rows: BudgetRows;
  /** Those of before a restart. */
  readonly raised: readonly AlertRow[];
  /** A sentence for people: a decision, a line in the log. */
  readonly onAlert: (text: string) => void;
}

/** A part of the budgets that is taken until it is settled; disposing it unsettled gives it back. */
export interface Reservation extends Disposable {
  /** Once; in the same synchronous step as the row of the request is recorded. `null` = nobody knows the cost. */
  settle(costNanoDollars: number | null): void;
}

/** The budgets of models.yaml, with what the rows and the requests of this moment take of them. */
export class Budgets {
  readonly #ports: BudgetPorts;
  readonly #book: BudgetBook;
  #sumsSoon = false;

  constructor(ports: BudgetPorts) {
    this.#ports = ports;
    this.#book = new BudgetBook(
      ports.raised.map((row) => alertKey(row.budget, { startMs: row.periodStartMs }, row.share)),
    );
  }

  /** Resolves when the sums of the new budgets are known; until then only what is spent meanwhile counts. */
  configure(budgets: readonly Budget[]): Promise<void> {
    this.#book.configure(budgets, this.#nowMs());
    return this.#sum();
  }

  /** Why this cannot be spent, for choosing between candidates; `null` when it can. It reserves nothing. */
  refusal(spending: Spending): RoundhouseError | null {
    const nowMs = this.#nowMs();
    const refusal = this.#book.refusal(spending, nowMs);
    this.#sumIfWanted();
    return refusal && new RoundhouseError('insufficient_quota', refusalText(refusal, spending, nowMs), {});
  }

  /**
   * Checks and takes in one step.
   * @throws RoundhouseError `insufficient_quota`
   */
  reserve(spending: Spending): Reservation {
    const refused = this.refusal(spending);
    if (refused) throw refused;
    // An object of its own: it is what tells reservations apart.
    const taken = { ...spending };
    this.#book.reserve(taken, this.#nowMs());
    const settle = (costNanoDollars: number | null) => {
      this.#tell(this.#book.settle(taken, costNanoDollars, this.#nowMs()));
      this.#sumIfWanted();
    };
    return { settle, [Symbol.dispose]: () => settle(null) };
  }

  view(): readonly BudgetView[] {
    const view = this.#book.view(this.#nowMs());
    this.#sumIfWanted();
    return view;
  }

  /** Rows from then on must not be deleted; `null` without budgets. */
  neededFromMs(): number | null {
    return this.#book.neededFromMs(this.#nowMs());
  }

  /** After this step: the row of what is being settled may be recorded a line later. */
  #sumIfWanted(): void {
    if (this.#sumsSoon) return;
    this.#sumsSoon = true;
    queueMicrotask(() => {
      this.#sumsSoon = false;
      void this.#sum();
    });
  }

  async #sum(): Promise<void> {
    const wanted = this.#book.wanted(this.#nowMs());
    if (wanted.length === 0) return;
    try {
      const sums = await this.#ports.rows.sums(wanted);
      for (const [index, want] of wanted.entries()) {
        this.#tell(this.#book.summed(want, sums[index] ?? 0));
      }
    } catch {
      // The log of usage says that the database cannot be read; the next request tries again.
      for (const want of wanted) this.#book.notSummed(want);
    }
  }

  #tell(alerts: readonly Alert[]): void {
    const nowMs = this.#nowMs();
    for (const alert of alerts) {
      const { budget, period, share } = alert;
      this.#ports.rows.saveAlert({
        budget: budgetKey(budget),
        periodStartMs: period.startMs,
        share,
        atMs: nowMs,
      });
      this.#ports.onAlert(alertText(alert, nowMs));
    }
  }

  #nowMs(): number {
    return this.#ports.clock.nowMs();
  }
}
