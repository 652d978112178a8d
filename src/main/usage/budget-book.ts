import type { Budget, BudgetView } from '../../shared/usage-contract.ts';
import { type Period, periodAt } from './periods.ts';

/** What is about to be spent, and on whose account. */
export interface Spending {
  /** When the request came: its cost counts in the period that holds this moment. */
  readonly atMs: number;
  readonly provider: string;
  readonly model: string;
  readonly user: string | null;
  /** What it may cost at most; 0 for what is free, `null` where no price is known. */
  readonly estimateNanoDollars: number | null;
}

/** A budget that has no room for a request. */
export interface Refusal {
  readonly budget: Budget;
  readonly period: Period;
  readonly spentNanoDollars: number;
  readonly inFlightNanoDollars: number;
}

/** A share of a budget was reached. */
export interface Alert {
  readonly budget: Budget;
  readonly period: Period;
  readonly share: number;
  readonly spentNanoDollars: number;
}

/** What has to be read from the rows before a budget's sum is right. */
export interface SumWanted {
  readonly scope: Budget['scope'];
  readonly period: Period;
}

interface Line {
  readonly key: string;
  readonly budget: Budget;
  period: Period;
  /** Of the rows in the store, when they were last summed. */
  summedNanos: number;
  /** Settled here, and not in that sum. */
  sinceNanos: number;
  inFlightNanos: number;
  sum: 'wanted' | SumWanted | 'known';
}

/**
 * What budgets have left. What is being answered counts with its estimate until it is settled with its real cost, so
 * that requests which run at once cannot spend the same dollar. Pure: sums come from outside, alerts go there.
 */
export class BudgetBook {
  #lines: readonly Line[] = [];
  readonly #inFlight = new Set<Spending>();
  /** Alerts of all periods, each `key@startMs@share`. */
  readonly #raised: Set<string>;

  /** @param raised what `alertKey` gave for those raised before a restart */
  constructor(raised: Iterable<string>) {
    this.#raised = new Set(raised);
  }

  /** Other budgets are in force from now on; what is in flight goes on counting. */
  configure(budgets: readonly Budget[], nowMs: number): void {
    this.#lines = budgets.map((budget) => {
      const key = budgetKey(budget);
      const same = this.#lines.find((line) => line.key === key);
      if (same) return { ...same, budget };
      const line: Line = {
        key,
        budget,
        period: periodAt(nowMs, budget.per),
        summedNanos: 0,
        sinceNanos: 0,
        inFlightNanos: 0,
        sum: 'wanted',
      };
      this.#recount(line);
      return line;
    });
  }

  /**
   * The budget that has no room for this, or `null`. What is free always has room.
   * @param nowMs periods that have ended by then begin anew
   */
  refusal(spending: Spending, nowMs: number): Refusal | null {
    this.#turnPages(nowMs);
    if (spending.estimateNanoDollars === 0) return null;
    for (const line of this.#linesOf(spending)) {
      const { budget, period } = line;
      if (budget.action !== 'block') continue;
      const taken = spentOf(line) + line.inFlightNanos;
      const needed = taken + (spending.estimateNanoDollars ?? 0);
      if (taken < budget.limitNanoDollars && needed <= budget.limitNanoDollars) continue;
      return {
        budget,
        period,
        spentNanoDollars: spentOf(line),
        inFlightNanoDollars: line.inFlightNanos,
      };
    }
    return null;
  }

  /** From now on this is in flight, until the same object is settled. Asks nobody: see `refusal`. */
  reserve(spending: Spending, nowMs: number): void {
    this.#turnPages(nowMs);
    if (this.#inFlight.has(spending)) return;
    this.#inFlight.add(spending);
    for (const line of this.#linesOf(spending)) line.inFlightNanos += spending.estimateNanoDollars ?? 0;
  }

  /**
   * It is over and cost this; `null` where nobody can say, which counts nothing. A second time changes nothing.
   * @returns what this reached, each share of a budget once in a period
   */
  settle(spending: Spending, costNanoDollars: number | null, nowMs: number): readonly Alert[] {
    this.#turnPages(nowMs);
    if (!this.#inFlight.delete(spending)) return [];
    const lines = this.#linesOf(spending);
    for (const line of lines) {
      line.inFlightNanos -= spending.estimateNanoDollars ?? 0;
      line.sinceNanos += costNanoDollars ?? 0;
    }
    return lines.flatMap((line) => this.#reached(line));
  }

  /**
   * The sums to read, from rows that hold all that was settled until this moment. What is settled from now on is added
   * to them here.
   */
  wanted(nowMs: number): readonly SumWanted[] {
    this.#turnPages(nowMs);
    return this.#lines.flatMap((line) => {
      if (line.sum !== 'wanted') return [];
      line.sum = { scope: line.budget.scope, period: line.period };
      line.summedNanos += line.sinceNanos;
      line.sinceNanos = 0;
      return [line.sum];
    });
  }

  /** @returns what was reached without our knowing; nothing for a sum that comes too late to be of use */
  summed(wanted: SumWanted, nanoDollars: number): readonly Alert[] {
    const line = this.#lines.find(({ sum }) => sum === wanted);
    if (!line) return [];
    line.sum = 'known';
    line.summedNanos = nanoDollars;
    return this.#reached(line);
  }

  /** It could not be read: it is wanted again. */
  notSummed(wanted: SumWanted): void {
    for (const line of this.#lines) if (line.sum === wanted) line.sum = 'wanted';
  }

  view(nowMs: number): readonly BudgetView[] {
    this.#turnPages(nowMs);
    return this.#lines.map((line) => ({
      ...line.budget,
      periodStartMs: line.period.startMs,
      resetsAtMs: line.period.endMs,
      spentNanoDollars: spentOf(line),
      inFlightNanoDollars: line.inFlightNanos,
      alertsRaised: line.budget.alertAt.filter((share) =>
        this.#raised.has(alertKey(line.key, line.period, share)),
      ),
    }));
  }

  /** Rows from then on are needed for the sums; `null` without budgets. */
  neededFromMs(nowMs: number): number | null {
    this.#turnPages(nowMs);
    return this.#lines.length === 0 ? null : Math.min(...this.#lines.map(({ period }) => period.startMs));
  }

  /**
   * A period ends, or the clock was set or the time zone changed: then what the new one holds is read anew. What was
   * settled meanwhile is in the rows by then.
   */
  #turnPages(nowMs: number): void {
    for (const line of this.#lines) {
      const period = periodAt(nowMs, line.budget.per);
      if (period.startMs === line.period.startMs && period.endMs === line.period.endMs) continue;
      line.period = period;
      line.summedNanos = 0;
      line.sinceNanos = 0;
      line.sum = 'wanted';
      this.#recount(line);
    }
  }

  #recount(line: Line): void {
    line.inFlightNanos = 0;
    for (const spending of this.#inFlight) {
      if (countsIn(line, spending)) line.inFlightNanos += spending.estimateNanoDollars ?? 0;
    }
  }

  #linesOf(spending: Spending): readonly Line[] {
    return this.#lines.filter((line) => countsIn(line, spending));
  }

  #reached(line: Line): readonly Alert[] {
    const { budget, period } = line;
    const spentNanoDollars = spentOf(line);
    return budget.alertAt
      .toSorted((a, b) => a - b)
      .flatMap((share) => {
        const key = alertKey(line.key, period, share);
        if (this.#raised.has(key) || spentNanoDollars < share * budget.limitNanoDollars) return [];
        this.#raised.add(key);
        return [{ budget, period, share, spentNanoDollars }];
      });
  }
}

/** Which budget this is, over restarts. Another limit makes it another one: its shares are other amounts. */
export function budgetKey({ scope, per, limitNanoDollars }: Budget): string {
  return JSON.stringify([scope, per, limitNanoDollars]);
}

export function alertKey(key: string, period: Pick<Period, 'startMs'>, share: number): string {
  return `${key}@${period.startMs}@${share}`;
}

function spentOf(line: Line): number {
  return line.summedNanos + line.sinceNanos;
}

function countsIn({ budget: { scope }, period }: Line, spending: Spending): boolean {
  if (spending.atMs < period.startMs || spending.atMs >= period.endMs) return false;
  if (scope === 'all') return true;
  if ('provider' in scope) return scope.provider === spending.provider;
  if ('model' in scope) return scope.model === spending.model;
  return scope.user === spending.user;
}
