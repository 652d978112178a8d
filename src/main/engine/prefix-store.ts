import { join } from 'node:path';
import type { Clock } from '../../shared/clock.ts';
import type { EngineSettings } from '../config/settings.ts';
import type { HeldTokens } from './prefix-calls.ts';
import { openPrefixFolder, type PrefixEntry, PrefixFolder } from './prefix-folder.ts';
import { prefixKey } from './prefix-key.ts';
import { beatsPrefill, isLongEnough, LearnedRate, restoreMs, victimsFor, worthOf } from './prefix-value.ts';
import type { HeldPrefix, PrefixOffer, PrefixToSave, SavedPrefix } from './protocol-prefix.ts';

export interface PrefixStoreOptions {
  /** Folder of its own, on a local disk. Absolute; made when it is not there. */
  readonly dir: string;
  readonly clock: Clock;
  readonly settings: PrefixStoreSettings;
  /** Told, once each, of what goes wrong: nothing of it fails a stop or a request. */
  readonly warn: (message: string) => void;
}

export interface PrefixStoreSettings {
  /** All files together; 0 turns saving and restoring off. */
  readonly limitBytes: number;
  /** Whether the files outlive the app. */
  readonly keepOnQuit: boolean;
}

/** The saved prefixes of one model as it is loaded now: its file, its settings, this llama.cpp. */
export interface ModelPrefixes {
  readonly modelId: string;
  readonly key: string;
  readonly offer: PrefixOffer;
}

/** What an engine is to save; every plan ends with `commit`. */
export interface SavePlan {
  readonly dir: string;
  readonly saves: readonly (PrefixToSave & { readonly held: HeldPrefix })[];
}

/**
 * Keeps the states of slots on disk while their models are unloaded, within a bound in bytes: the owner of the folder.
 * Engines read and write the files; what is there, what is worth its bytes and what goes is known here.
 */
export class PrefixStore {
  readonly #options: PrefixStoreOptions;
  /** By file name. */
  readonly #entries = new Map<string, PrefixEntry>();
  /** Bytes of files that engines are writing, by file name. */
  readonly #reserved = new Map<string, number>();
  readonly #folder: PrefixFolder;
  readonly #warned = new Set<string>();
  readonly #opened: Promise<void>;
  /** Until something was measured: 1 GB/s written, 0.5 GB/s restored. */
  readonly #saving = new LearnedRate(10, 10_000_000);
  readonly #restoring = new LearnedRate(20, 10_000_000);
  #settings: PrefixStoreSettings;
  #lastNumber = 0;

  constructor(options: PrefixStoreOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#folder = new PrefixFolder(options.dir, (error) => this.#warnOnce(error));
    this.#opened = this.#open();
  }

  /** A lower bound holds at once. */
  configure(settings: PrefixStoreSettings): void {
    this.#settings = settings;
    void this.#opened.then(() => this.#keepWithinLimit());
  }

  /** On disk for the model, as it is loaded now or was. */
  prefixBytes(modelId: string): number {
    return this.#sum((entry) => entry.modelId === modelId);
  }

  get totalBytes(): number {
    return this.#sum(() => true);
  }

  /** `null` while nothing is kept. */
  get use(): { readonly bytes: number; readonly limitBytes: number } | null {
    const { limitBytes } = this.#settings;
    return limitBytes === 0 ? null : { bytes: this.totalBytes, limitBytes };
  }

  /**
   * What it costs, when a model is asked again, that what its slots hold was given up: restoring it, if it would be saved
   * and that is quicker, else reading it again. An expectation for all slots together; each is judged by itself when the
   * time comes.
   * @param bytesPerToken of the cache; `null` when it is not known
   */
  lossMs({ tokens, prefillMs, deepestTokens }: HeldTokens, bytesPerToken: number | null): number {
    if (bytesPerToken === null || !isLongEnough(deepestTokens)) return prefillMs;
    const bytes = tokens * bytesPerToken;
    if (bytes > this.#settings.limitBytes) return prefillMs;
    return Math.min(prefillMs, restoreMs(bytes, this.#restoring.msPerUnit));
  }

  /**
   * What an engine that is about to load a model may restore. Prefixes of the same model with another file or other
   * settings are given up: nothing will ever match them.
   * @param build llama.cpp's version and device, as the engine told
   * @returns `null` when prefixes are not kept, or the model's files cannot be seen
   */
  async offer(
    modelId: string,
    model: { readonly path: string; readonly settings: EngineSettings },
    build: string,
  ): Promise<ModelPrefixes | null> {
    try {
      await this.#opened;
      if (this.#settings.limitBytes === 0) return null;
      const key = await prefixKey(model.path, model.settings, build);
      this.#remove([...this.#entries.values()].filter((old) => old.modelId === modelId && old.key !== key));
      const states = [...this.#entries.values()].filter((entry) => entry.key === key);
      const tokens = states.reduce((sum, state) => sum + state.tokens, 0);
      const prefillMs = states.reduce((sum, state) => sum + state.prefillMs, 0);
      return {
        modelId,
        key,
        offer: {
          dir: join(this.#options.dir, key),
          states: states.map(({ file, tokens, bytes, crc32 }) => ({ file, tokens, bytes, crc32 })),
          restoreMsPerByte: this.#restoring.msPerUnit,
          prefillMsPerToken: tokens === 0 ? null : prefillMs / tokens,
        },
      };
    } catch {
      // The load will say what is wrong with the files.
      return null;
    }
  }

  /**
   * Chooses what of an engine's slots is to be saved, and makes room for it.
   * @param limitMs what is not expected to be written in this time is left out
   */
  async plan(model: ModelPrefixes, held: readonly HeldPrefix[], limitMs: number): Promise<SavePlan> {
    await this.#opened;
    const dir = join(this.#options.dir, model.key);
    const saves = this.#choose(held, limitMs);
    try {
      if (saves.length > 0) await this.#folder.make(model.key);
    } catch (error) {
      this.#warnOnce(error);
      return { dir, saves: this.#release(saves) };
    }
    // What gave way is gone before anything is written.
    await this.#folder.settled;
    return { dir, saves };
  }

  /** What came of a plan: files that were not written to their end are deleted, and those that they replace. */
  commit(model: ModelPrefixes, plan: SavePlan, saved: readonly SavedPrefix[], failed: string | null): void {
    if (failed !== null) this.#warnOnce(failed);
    for (const { file, held } of plan.saves) {
      this.#reserved.delete(file);
      const written = saved.find((candidate) => candidate.file === file);
      if (!written) {
        this.#folder.delete({ key: model.key, file });
        continue;
      }
      this.#saving.add(written.saveMs, written.bytes);
      this.#remove(held.replaces.flatMap((name) => this.#entries.get(name) ?? []));
      this.#entries.set(file, {
        file,
        key: model.key,
        modelId: model.modelId,
        tokens: written.tokens,
        bytes: written.bytes,
        crc32: written.crc32,
        prefillMs: held.prefillMs,
        usedAtMs: this.#options.clock.nowMs(),
      });
    }
    this.#keepWithinLimit();
    if (plan.saves.length > 0) this.#writeIndex();
  }

  /** Nothing of this was written in `ms`: so much will not be tried again. */
  tookTooLong(bytes: number, ms: number): void {
    this.#saving.add(ms, bytes);
  }

  restored(file: string, bytes: number, restoreMs: number): void {
    this.#restoring.add(restoreMs, bytes);
    const entry = this.#entries.get(file);
    // Written with the next change: a use that is forgotten costs little.
    if (entry) this.#entries.set(file, { ...entry, usedAtMs: this.#options.clock.nowMs() });
  }

  /** A file is not what was saved: it is deleted, and never offered again. */
  broken(file: string, reason: string): void {
    const entry = this.#entries.get(file);
    if (!entry) return;
    this.#remove([entry]);
    this.#options.warn(
      `A saved prefix of ${entry.modelId} (${entry.tokens} tokens) could not be used and was deleted: ${reason}.`,
    );
  }

  /** Engines have ended: empties the folder, or leaves it whole for the next start. */
  async close(): Promise<void> {
    await this.#opened;
    if (this.#keepsOnQuit) this.#writeIndex();
    else this.#folder.deleteAll();
    await this.#folder.settled;
  }

  async #open(): Promise<void> {
    const { dir, clock } = this.#options;
    try {
      for (const entry of await openPrefixFolder(dir, this.#keepsOnQuit)) {
        this.#lastNumber = Math.max(this.#lastNumber, Number.parseInt(entry.file, 10));
        // A clock that was ahead must not keep a file for ever.
        this.#entries.set(entry.file, { ...entry, usedAtMs: Math.min(entry.usedAtMs, clock.nowMs()) });
      }
      this.#keepWithinLimit();
    } catch (error) {
      this.#warnOnce(error);
    }
  }

  #choose(held: readonly HeldPrefix[], limitMs: number): SavePlan['saves'] {
    const usedAtMs = this.#options.clock.nowMs();
    const saves: SavePlan['saves'][number][] = [];
    let leftMs = limitMs;
    const long = held.filter(({ tokens }) => isLongEnough(tokens));
    const worthy = long.filter((slot) => beatsPrefill(slot.bytes, slot.prefillMs, this.#restoring.msPerUnit));
    if (worthy.length < long.length) this.#restoring.doubt();
    for (const slot of worthy.toSorted((a, b) => b.prefillMs - a.prefillMs)) {
      const saveMs = slot.bytes * this.#saving.msPerUnit;
      if (saveMs > leftMs) this.#saving.doubt();
      if (saveMs > leftMs || !this.#makeRoom(slot, worthOf({ ...slot, usedAtMs }))) continue;
      leftMs -= saveMs;
      const file = `${++this.#lastNumber}.state`;
      this.#reserved.set(file, slot.bytes);
      saves.push({ slot: slot.slot, file, held: slot });
    }
    return saves;
  }

  #makeRoom({ bytes, replaces }: HeldPrefix, worth: number): boolean {
    const replaced = new Set(replaces);
    const victims = victimsFor(
      [...this.#entries.values()],
      // What is replaced goes first, but only where its room is needed: saving may fail.
      (entry) => (replaced.has(entry.file) ? Number.NEGATIVE_INFINITY : worthOf(entry)),
      bytes,
      this.#freeBytes(),
      worth,
    );
    if (victims) this.#remove(victims);
    return victims !== null;
  }

  #release(saves: SavePlan['saves']): SavePlan['saves'] {
    for (const { file } of saves) this.#reserved.delete(file);
    return [];
  }

  #freeBytes(): number {
    const reserved = [...this.#reserved.values()].reduce((sum, bytes) => sum + bytes, 0);
    return this.#settings.limitBytes - this.totalBytes - reserved;
  }

  #keepWithinLimit(): void {
    const all = [...this.#entries.values()];
    this.#remove(victimsFor(all, worthOf, 0, this.#freeBytes(), Number.POSITIVE_INFINITY) ?? all);
  }

  #sum(counts: (entry: PrefixEntry) => boolean): number {
    let bytes = 0;
    for (const entry of this.#entries.values()) if (counts(entry)) bytes += entry.bytes;
    return bytes;
  }

  #remove(entries: readonly PrefixEntry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) {
      this.#entries.delete(entry.file);
      this.#folder.delete(entry);
    }
    this.#writeIndex();
  }

  #writeIndex(): void {
    this.#folder.writeIndex(this.#entries.values());
  }

  get #keepsOnQuit(): boolean {
    return this.#settings.keepOnQuit && this.#settings.limitBytes > 0;
  }

  #warnOnce(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    // One file's number differs from the next one's; a full disk is told of once all the same.
    const kind = reason.replaceAll(/\d+/g, '');
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    this.#options.warn(`Prefix caches may not be kept in ${this.#options.dir}: ${reason}.`);
  }
}
