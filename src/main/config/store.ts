import { realpath } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import type { Clock } from '../../shared/clock.ts';
import type { ConfigProblem } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { appendModel } from './append-model.ts';
import { checkGgufFile } from './gguf-file.ts';
import type { ParsedConfig, Problems } from './load.ts';
import { isFirstShard } from './model-ids.ts';
import { type AddModel, idFor, suggestedId } from './new-model.ts';
import { pinModel } from './pin-model.ts';
import { type ConfigPlace, type Good, invalidConfig, readConfig, resolveText } from './read-config.ts';
import { type LocalModelSettings, localModels, type Settings } from './settings.ts';
import { FolderWatch, foldersOf } from './watch.ts';

export interface ConfigStoreOptions extends ConfigPlace {
  readonly clock: Clock;
  /** Takes what the user should know but that stops nothing, as a sentence. */
  readonly warn: (message: string) => void;
}

export type ConfigChange =
  /** A new configuration is in force, and nothing is wrong with the file. */
  | { readonly type: 'settings'; readonly settings: Settings }
  /** The file on disk is broken; what was in force stays so. */
  | { readonly type: 'problems'; readonly problems: readonly ConfigProblem[] };

/** Owns models.yaml: reads it, watches it and the models folders, and writes into it what is changed here. */
export class ConfigStore implements Disposable {
  readonly #options: ConfigStoreOptions;
  readonly #listeners = new Set<(change: ConfigChange) => void>();
  readonly #fileWatch: FolderWatch;
  readonly #modelsWatch: FolderWatch;
  #good: Good;
  #problems: readonly ConfigProblem[] = [];
  /** Reads and writes of the file, one after another: a reload never sees half of an `addModel`. */
  #work: Promise<unknown> = Promise.resolve();
  #disposed = false;

  private constructor(options: ConfigStoreOptions, good: Good) {
    this.#options = options;
    this.#good = good;
    const { clock, warn } = options;
    const onChange = (): void => {
      this.reload().catch((error: unknown) =>
        warn(`models.yaml could not be looked at again: ${String(error)}`),
      );
    };
    this.#fileWatch = new FolderWatch({ clock, warn, onChange });
    this.#modelsWatch = new FolderWatch({ clock, warn, onChange });
  }

  /**
   * Reads the file and begins to watch it.
   * @throws RoundhouseError `config_invalid` when there is no good version to start with
   */
  static async open(options: ConfigStoreOptions): Promise<ConfigStore> {
    const result = await readConfig(options);
    if ('problems' in result) throw invalidConfig(result.problems);
    const store = new ConfigStore(options, result);
    for (const warning of result.scan.warnings) options.warn(warning);
    await store.#watch();
    // What was saved between the reading and the watching.
    await store.reload();
    return store;
  }

  /** The configuration in force: the last good one. */
  get settings(): Settings {
    return this.#good.settings;
  }

  /** What models.yaml, the environment and the command line say, as far as it is in force. */
  get parsed(): ParsedConfig {
    return this.#good.parsed;
  }

  /** What is wrong with the file on disk; empty when nothing is. */
  get problems(): readonly ConfigProblem[] {
    return this.#problems;
  }

  get file(): string {
    return this.#options.file;
  }

  subscribe(listener: (change: ConfigChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Looks at the file and the models folders again, and tells the listeners when something is different. */
  reload(): Promise<void> {
    return this.#inTurn(async () => {
      const result = await this.#read();
      if (this.#disposed) return;
      if ('problems' in result) {
        if (JSON.stringify(result.problems) === JSON.stringify(this.#problems)) return;
        this.#problems = result.problems;
        this.#tell({ type: 'problems', problems: result.problems });
        return;
      }
      const same =
        JSON.stringify(result.settings) === JSON.stringify(this.settings) && this.#problems.length === 0;
      await this.#accept(result, !same);
    });
  }

  /**
   * Registers a GGUF file where it lies, by writing it into models.yaml with everything else there kept.
   * @throws RoundhouseError `gguf_invalid`; `conflict` when the id or the file is registered already;
   *   `invalid_request` for an unusable id; `config_invalid` while the file on disk is broken
   */
  addModel(model: AddModel): Promise<LocalModelSettings> {
    return this.#inTurn(async () => {
      await checkGgufFile(model.path);
      if (!isFirstShard(model.path)) {
        throw new RoundhouseError(
          'gguf_invalid',
          `${model.path} is a later part of a split model; add its first part`,
        );
      }
      const current = await this.#readUnbroken();
      const id = idFor(model, current);
      const { name, path: file, settings = {} } = model;
      return this.#write(appendModel(current.text, { id, name, file, settings, pinned: false }), id);
    });
  }

  /**
   * Writes into models.yaml whether a model is to stay loaded, with everything else there kept. A model that was found
   * in a models folder gets an entry there.
   * @throws RoundhouseError `model_not_found`; `invalid_request` for a provider's model; `config_invalid` while the file on disk is broken, and when more models
   *   would be pinned than may be loaded
   */
  setPinned(id: string, pinned: boolean): Promise<LocalModelSettings> {
    return this.#inTurn(async () => {
      const { settings, namedIds, text } = await this.#readUnbroken();
      const model = localModels(settings).find((candidate) => candidate.id === id);
      if (!model) throw notLocal(id, settings);
      if (model.pinned === pinned) return model;
      if (namedIds.has(id)) return this.#write(pinModel(text, id, pinned), id);
      // Without the name it would be called by its id from now on.
      const name = model.name === id ? null : model.name;
      const entry = { id, name, file: model.source.path, settings: {}, pinned };
      return this.#write(appendModel(text, entry), id);
    });
  }

  /**
   * Changes the text of models.yaml: it is checked, written and in force when this resolves.
   * @param change gives the new text; what it throws changes nothing
   * @throws RoundhouseError `config_invalid` when the file on disk is broken, or the new text would be
   */
  edit(change: (current: Good) => string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#put(change(await this.#readUnbroken()));
    });
  }

  /** The id that adding this file would give it. @param name from its metadata */
  suggestId(path: string, name: string | null): string {
    return suggestedId(path, name, this.settings);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#fileWatch[Symbol.dispose]();
    this.#modelsWatch[Symbol.dispose]();
    this.#listeners.clear();
  }

  /** As `readConfig`. Editors empty a file before they write it, so one that had something is then only half written. */
  async #read(): Promise<Good | Problems> {
    const result = await readConfig(this.#options);
    if ('problems' in result || !isBlank(result.text) || isBlank(this.#good.text)) return result;
    const message = 'models.yaml is empty; write it again, or `models: {}` to serve no models';
    return { problems: [{ file: this.file, line: null, message }] };
  }

  async #readUnbroken(): Promise<Good> {
    const current = await this.#read();
    if ('problems' in current) throw invalidConfig(current.problems);
    return current;
  }

  /** Puts the text into force and into the file. @returns the model that was changed by it */
  async #write(text: string, id: string): Promise<LocalModelSettings> {
    const { settings } = await this.#put(text);
    const model = localModels(settings).find((candidate) => candidate.id === id);
    if (!model) throw new RoundhouseError('internal_error', `${id} is not in models.yaml any more`);
    return model;
  }

  async #put(text: string): Promise<Good> {
    const next = await resolveText(this.#options, text);
    if ('problems' in next) throw invalidConfig(next.problems);
    await writeFileAtomic(this.file, text).catch((error: NodeJS.ErrnoException) => {
      const message = `models.yaml could not be written (${error.code ?? error.message}); it is unchanged`;
      throw new RoundhouseError('internal_error', message, { cause: error });
    });
    await this.#accept(next, true);
    return next;
  }

  async #accept(good: Good, tell: boolean): Promise<void> {
    const known = new Set(this.#good.scan.warnings);
    for (const warning of good.scan.warnings) if (!known.has(warning)) this.#options.warn(warning);
    this.#good = good;
    this.#problems = [];
    await this.#watch();
    if (tell) this.#tell({ type: 'settings', settings: good.settings });
  }

  /** Follows the file, through a link also what it leads to, and the folders looked into last. */
  async #watch(): Promise<void> {
    if (this.#disposed) return;
    const target = await realpath(this.file).catch(() => this.file);
    this.#fileWatch.follow(foldersOf([this.file, target]));
    this.#modelsWatch.follow(new Map(this.#good.scan.dirs.map((dir) => [dir, null])));
  }

  #tell(change: ConfigChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => undefined);
    return result;
  }
}

/** Whether a YAML text holds nothing but comments and empty lines. */
function isBlank(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(?:#|$)/.test(line));
}

function notLocal(id: string, { models }: Settings): RoundhouseError {
  return models.some((model) => model.id === id)
    ? new RoundhouseError(
        'invalid_request',
        `${id} runs at a provider; only models of this machine are pinned`,
      )
    : new RoundhouseError('model_not_found', `no model is called "${id}"`);
}
