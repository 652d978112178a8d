import type { Clock } from '../../shared/clock.ts';
import type { PressureLevel } from '../../shared/contract.ts';
import type { MemoryProbe } from './probe.ts';
import { keptBytes, type SystemMemory } from './system-memory.ts';

const INTERVAL_MS = 2000;
/** While nobody needs to know what the system has: on macOS each reading starts a process for each engine. */
const LEISURELY_MS = 10_000;
/** A reading not older than this is as good as a new one: several loads often begin together. */
const FRESH_MS = 500;
/** What a load waits for a newer reading than the last at most: a swap takes 30 ms in all. */
const PATIENCE_MS = 10;
/** Engines that come and go while they are read spoil a reading. */
const ATTEMPTS = 3;

export interface MachineWatchOptions {
  readonly clock: Clock;
  readonly probe: Pick<MemoryProbe, 'pressure' | 'availableBytes' | 'returnedBytes'>;
  /** Of the machine. */
  readonly totalBytes: number;
  /** Of all engines there are now. */
  readonly enginePids: () => readonly number[];
  /** Whether somebody waits for memory, or looks at it. */
  readonly isNeeded: () => boolean;
  readonly onPressure: (level: PressureLevel) => void;
  /** `null` when it could not be read; not called when engines came and went all the while: the last one holds. */
  readonly onMachine: (system: SystemMemory | null) => void;
}

/** Reads the system again and again, whoever looks: other programs take memory without telling anybody. */
export class MachineWatch {
  readonly #options: MachineWatchOptions;
  #interval: Disposable | null = null;
  #polling = false;
  #reading: Promise<void> | null = null;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(options: MachineWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#interval ??= this.#options.clock.every(INTERVAL_MS, () => void this.#poll());
  }

  /** Resolves when what the system has was told a moment ago; when that takes long, a few seconds ago will do. */
  async fresh(): Promise<void> {
    const ageMs = this.#ageMs;
    if (ageMs < FRESH_MS) return;
    const read = this.#read();
    if (ageMs > LEISURELY_MS + INTERVAL_MS) return read;
    const { promise: impatient, resolve } = Promise.withResolvers<void>();
    using _timer = this.#options.clock.after(PATIENCE_MS, resolve);
    await Promise.race([read, impatient]);
  }

  [Symbol.dispose](): void {
    this.#interval?.[Symbol.dispose]();
    this.#interval = null;
  }

  get #ageMs(): number {
    return this.#options.clock.monotonicMs() - this.#readMs;
  }

  async #poll(): Promise<void> {
    // A system that is short of memory may answer late.
    if (this.#polling) return;
    this.#polling = true;
    const level = await this.#options.probe.pressure().catch(() => 'normal' as const);
    if (level !== 'normal' || this.#options.isNeeded() || this.#ageMs >= LEISURELY_MS) await this.#read();
    this.#polling = false;
    if (this.#interval) this.#options.onPressure(level);
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    const system = await this.#system().catch(() => null);
    this.#readMs = this.#options.clock.monotonicMs();
    if (system !== 'spoiled') this.#options.onMachine(system);
  }

  /**
   * The two sums are not of one moment. What an engine takes meanwhile makes their total too small, by little; what one
   * gives back would make it too large, so of what is available before and after the smaller counts.
   */
  async #system(): Promise<SystemMemory | 'spoiled'> {
    const { probe, enginePids, totalBytes } = this.#options;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const pids = enginePids();
      const before = await probe.availableBytes();
      const enginesBytes = await probe.returnedBytes(pids);
      const after = await probe.availableBytes();
      if (enginesBytes === null || !sameMembers(pids, enginePids())) continue;
      return { availableBytes: Math.min(before, after), enginesBytes, keptBytes: keptBytes(totalBytes) };
    }
    return 'spoiled';
  }
}

function sameMembers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((pid) => b.includes(pid));
}
