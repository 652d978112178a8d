import type { ModelState, StateEvent } from '../../shared/model-state.ts';
import { transition, UNLOADED } from '../../shared/model-state.ts';
import type { LighterSettings, ModelSpec } from './ports.ts';
import type { ModelEntryView } from './view.ts';

/** Reserved above a prediction until the model was measured on this machine. */
const MARGIN_UNTIL_MEASURED = 1.1;
/** An engine that dies this often in this time stays failed until somebody asks for it by hand. */
const DEATH_WINDOW_MS = 60_000;
export const MAX_DEATHS = 3;
const BACKOFF_MS = 1000;

/** What is reserved for a prediction: until a model was measured on this machine, a tenth more than it says. */
export function reservedBytes(predictedBytes: number, learned: boolean): number {
  return Math.ceil(predictedBytes * (learned ? 1 : MARGIN_UNTIL_MEASURED));
}

/** The largest prediction for which no more than `bytes` is reserved. */
export function largestPrediction(bytes: number, learned: boolean): number {
  return Math.floor(learned ? bytes : (bytes - 1) / MARGIN_UNTIL_MEASURED);
}

export interface Waiter {
  readonly requestId: number;
  readonly arrivedMs: number;
  /** A slot to generate in, only that the model is there, or that it is there before anybody needs it. */
  readonly wants: 'slot' | 'resident' | 'ahead';
}

/** What the scheduler keeps of one model. Only the scheduler writes it. */
export class ModelEntry implements ModelEntryView {
  spec: ModelSpec;
  state: ModelState = UNLOADED;
  /** Gone from the configuration: unloaded as soon as it can be, then forgotten. */
  removed = false;
  /** Requests that hold a slot. */
  readonly leases = new Set<number>();
  /** Requests that wait for it, in the order they came. */
  readonly waiting = new Map<number, Waiter>();
  lineBytes = 0;
  lastUsedMs = 0;
  /** When its requests last stopped being served, so that taking turns is by turns, not by arrival alone. */
  servedUntilMs = 0;
  notBeforeMs = 0;
  /** What it would cost to have again the prefix caches that go with it: restored where they are kept, else read anew. */
  prefixRebuildMs = 0;
  ranOutOfMemory = false;
  /** Why it waits, as was last told: each reason is told once a wait. */
  toldWhy: 'system' | 'pressure' | null = null;
  estimateAsked = false;
  estimateIsFresh = false;
  lighter: LighterSettings | null = null;
  /** The settings it was last loaded with: what is measured says something about those only. */
  loadedKey = '';
  /** Who asked for it to be unloaded; answered when it is. */
  readonly unloadAsks: number[] = [];
  #predictedBytes: number | null = null;
  #learned = false;
  #measuredBytes: number | null = null;
  #deathsMs: number[] = [];
  #broken = false;

  constructor(spec: ModelSpec) {
    this.spec = spec;
  }

  get id(): string {
    return this.spec.id;
  }

  get slots(): number {
    return this.spec.slots;
  }

  get pinned(): boolean {
    return this.spec.pinned && !this.removed;
  }

  get activeLeases(): number {
    return this.leases.size;
  }

  get waiters(): number {
    return this.waiting.size;
  }

  /** Nobody needs it yet who waits for it. */
  get isOnlyAhead(): boolean {
    for (const { wants } of this.waiting.values()) if (wants !== 'ahead') return false;
    return true;
  }

  get oldestWaiter(): Waiter | undefined {
    return this.waiting.values().next().value;
  }

  get oldestArrivalMs(): number | null {
    return this.oldestWaiter?.arrivedMs ?? null;
  }

  /** Turns are counted from when its requests were last served, or each swap would serve only a few. */
  get waitsSinceMs(): number | null {
    const arrivedMs = this.oldestArrivalMs;
    return arrivedMs === null ? null : Math.max(arrivedMs, this.servedUntilMs);
  }

  get predictedBytes(): number | null {
    return this.#predictedBytes;
  }

  /** The most it was seen to hold; `null` before it was measured with these settings. */
  get measuredBytes(): number | null {
    return this.#measuredBytes;
  }

  get neededBytes(): number | null {
    if (this.#predictedBytes === null) return this.#measuredBytes;
    return Math.max(reservedBytes(this.#predictedBytes, this.#learned), this.#measuredBytes ?? 0);
  }

  apply(event: StateEvent): void {
    this.state = transition(this.state, event);
  }

  /** What is known changes what is reserved also while the model is there: its line follows. */
  estimated(bytes: number, learned: boolean, lighter: LighterSettings | null = null): void {
    this.estimateAsked = false;
    this.estimateIsFresh = true;
    this.#learned = learned;
    this.#predictedBytes = bytes;
    this.lighter = lighter;
    if (this.lineBytes > 0 && this.#knownAsLoaded) this.lineBytes = this.neededBytes ?? this.lineBytes;
  }

  measured(bytes: number): void {
    if (this.#knownAsLoaded) this.#measuredBytes = Math.max(this.#measuredBytes ?? 0, bytes);
    this.lineBytes = Math.max(this.#knownAsLoaded ? (this.neededBytes ?? 0) : this.lineBytes, bytes);
  }

  /** Whether predictions and measurements speak of the settings that the model is loaded with. */
  get #knownAsLoaded(): boolean {
    return this.loadedKey === this.spec.memoryKey;
  }

  /** Other settings need other memory: what was known no longer holds. */
  respecify(spec: ModelSpec): void {
    this.removed = false;
    if (spec.memoryKey !== this.spec.memoryKey) {
      this.#predictedBytes = null;
      this.#measuredBytes = null;
      this.estimateAsked = false;
      this.estimateIsFresh = false;
    }
    this.spec = spec;
  }

  /** @returns how many deaths there were lately, this one included */
  died(nowMs: number): number {
    this.#deathsMs = [...this.#deathsMs.filter((ms) => nowMs - ms < DEATH_WINDOW_MS), nowMs];
    const deaths = this.#deathsMs.length;
    if (deaths >= MAX_DEATHS) this.#broken = true;
    // The first restart is at once: a single crash should cost one request, not a pause.
    this.notBeforeMs = nowMs + (deaths === 1 ? 0 : BACKOFF_MS * 2 ** (deaths - 2));
    return deaths;
  }

  /** Died too often in a short time: not tried again until somebody asks for it by hand. */
  get isBroken(): boolean {
    return this.#broken;
  }

  forgiven(): void {
    this.#deathsMs = [];
    this.#broken = false;
    this.notBeforeMs = 0;
  }
}
