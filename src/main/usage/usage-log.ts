import type { Clock } from '../../shared/clock.ts';
import type { UsageDetailView, UsageEvent } from '../../shared/usage-contract.ts';
import type { DataStore } from './data-store.ts';
import { LiveRows } from './live-rows.ts';
import { UsageCounters } from './usage-counters.ts';
import { detailOf, type UsageRow, viewOf } from './usage-row.ts';

/** Rows are on their way to the disk this soon: the commit has 200 ms left, which a busy machine can need. */
export const COMMIT_MS = 50;
/** While the disk takes nothing, it is tried this often. */
const RETRY_MS = 5000;
/** What is kept while it cannot be written: ten seconds of 2,000 requests each. */
const MOST_ROWS = 20_000;
/** Of texts, in characters. */
const MOST_TEXT = 16 * 1024 ** 2;

export interface UsageLogPorts {
  readonly clock: Clock;
  readonly store: Pick<DataStore, 'call' | 'lastRequestId'>;
  /** Whether texts of prompts and answers are kept; asked at each row. */
  readonly keepsTexts: () => boolean;
  /** A sentence for people: a decision, a line in the log. */
  readonly onTrouble: (text: string) => void;
}

/**
 * Takes the row of each request and has it written. Recording never throws and never waits; rows are committed together,
 * within 250 ms. While that fails they are kept, up to a bound, and it is said once.
 */
export class UsageLog {
  readonly counters = new UsageCounters();
  readonly #ports: UsageLogPorts;
  readonly #live: LiveRows;
  #lastId: number;
  #waiting: UsageDetailView[] = [];
  /** Sent to the database, and not yet known to be written. */
  #sent = 0;
  /** Characters of text in what waits and was sent. */
  #textChars = 0;
  readonly #sending = new Set<Promise<void>>();
  #due: Disposable | null = null;
  #trouble: { lost: number } | null = null;
  #lostInAll = 0;

  constructor(ports: UsageLogPorts) {
    this.#ports = ports;
    this.#live = new LiveRows(ports.clock);
    this.#lastId = ports.store.lastRequestId;
  }

  /** Rows that are in no database and never will be. */
  get lostRows(): number {
    return this.#lostInAll;
  }

  record(row: UsageRow): void {
    try {
      this.#record(row);
    } catch {
      // A row that cannot even be read is nobody's reason to fail an answer.
      this.#lost(1);
    }
  }

  /** Requests as they end, while somebody looks. */
  subscribe(listener: (event: UsageEvent) => void): Disposable {
    return this.#live.subscribe(listener);
  }

  /** Sends what waits: whatever is asked of the database after this finds it there. */
  flush(): void {
    if (this.#trouble === null) this.#send();
  }

  /** Resolves when what was recorded is written, or cannot be. */
  async close(): Promise<void> {
    this.#live[Symbol.dispose]();
    this.#due?.[Symbol.dispose]();
    this.#send();
    await Promise.all(this.#sending);
    // What failed a moment ago has its last chance.
    this.#send();
    await Promise.all(this.#sending);
    this.#due?.[Symbol.dispose]();
    this.#due = null;
    if (this.#waiting.length === 0) return;
    const { length } = this.#waiting;
    this.#waiting = [];
    this.#lost(length);
    this.#ports.onTrouble(`Usage of ${length} requests could not be written before the end and is lost.`);
  }

  #record(row: UsageRow): void {
    this.#lastId += 1;
    const detail = this.#withinBounds(detailOf(row, this.#lastId));
    this.counters.add(detail);
    this.#live.ended(() => viewOf(detail));
    if (this.#waiting.length + this.#sent >= MOST_ROWS) {
      this.#inTrouble('the database is behind');
      return this.#lost(1);
    }
    this.#textChars += textChars(detail);
    this.#waiting.push(detail);
    this.#sendIn(COMMIT_MS);
  }

  #withinBounds(detail: UsageDetailView): UsageDetailView {
    const kept = this.#ports.keepsTexts() && this.#textChars + textChars(detail) <= MOST_TEXT;
    return kept || detail.text === null ? detail : { ...detail, text: null };
  }

  #sendIn(delayMs: number): void {
    this.#due ??= this.#ports.clock.after(delayMs, () => this.#send());
  }

  #send(): void {
    this.#due?.[Symbol.dispose]();
    this.#due = null;
    if (this.#waiting.length === 0) return;
    const rows = this.#waiting;
    this.#waiting = [];
    this.#sent += rows.length;
    const sending = this.#write(rows).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  async #write(rows: UsageDetailView[]): Promise<void> {
    try {
      const { refused } = await this.#ports.store.call('write', rows);
      this.#sent -= rows.length;
      this.#textChars -= rows.reduce((sum, row) => sum + textChars(row), 0);
      if (refused > 0) this.#lost(refused);
      this.#outOfTrouble();
    } catch (error) {
      this.#sent -= rows.length;
      this.#waiting = [...rows, ...this.#waiting];
      this.#due?.[Symbol.dispose]();
      this.#due = null;
      this.#sendIn(RETRY_MS);
      this.#inTrouble(error instanceof Error ? error.message : String(error));
    }
  }

  #inTrouble(reason: string): void {
    if (this.#trouble) return;
    this.#trouble = { lost: 0 };
    this.#ports.onTrouble(
      `Usage cannot be written (${reason}); answers go on. Up to ${MOST_ROWS} requests are kept until it can; ` +
        'see that the disk of the data folder has room.',
    );
  }

  #outOfTrouble(): void {
    // Not at the first row that finds room: it would be said again with the next that finds none.
    if (this.#trouble === null || this.#waiting.length + this.#sent > MOST_ROWS / 2) return;
    const { lost } = this.#trouble;
    this.#trouble = null;
    this.#ports.onTrouble(
      `Usage is written again; ${lost === 0 ? 'nothing was lost' : `that of ${lost} requests was lost`}.`,
    );
  }

  #lost(count: number): void {
    this.#lostInAll += count;
    if (this.#trouble) this.#trouble.lost += count;
  }
}

function textChars({ text }: UsageDetailView): number {
  return text === null ? 0 : text.prompt.length + text.answer.length;
}
