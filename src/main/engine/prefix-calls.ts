import { assertNever } from '../../shared/assert-never.ts';
import type {
  FromChildOfPrefixes,
  HeldPrefix,
  PrefixToSave,
  SavedPrefix,
  ToChildOfPrefixes,
} from './protocol-prefix.ts';

/** What an engine tells of saved prefixes without being asked. */
export type PrefixEvent = Extract<FromChildOfPrefixes, { type: 'prefixRestored' | 'prefixBroken' }>;

/** What the slots of an engine hold. */
export interface HeldTokens {
  /** Of all slots together. */
  readonly tokens: number;
  /** What reading all of it again would take. */
  readonly prefillMs: number;
  /** The most that one slot holds and could save. */
  readonly deepestTokens: number;
}

export const NOTHING_HELD: HeldTokens = { tokens: 0, prefillMs: 0, deepestTokens: 0 };

/** The part of an engine that is asked about its slots' states, one call of each kind at a time. */
export class PrefixCalls {
  readonly #send: (message: ToChildOfPrefixes) => void;
  readonly #onEvent: (event: PrefixEvent) => void;
  #held = NOTHING_HELD;
  #ended: Error | null = null;
  #list: PromiseWithResolvers<readonly HeldPrefix[]> | null = null;
  #save: (PromiseWithResolvers<string | null> & { readonly onSaved: (saved: SavedPrefix) => void }) | null =
    null;

  constructor(send: (message: ToChildOfPrefixes) => void, onEvent: (event: PrefixEvent) => void) {
    this.#send = send;
    this.#onEvent = onEvent;
  }

  /** After the last request of the loaded model. */
  get held(): HeldTokens {
    return this.#held;
  }

  /** The engine owes an answer. */
  get pending(): boolean {
    return this.#list !== null || this.#save !== null;
  }

  /** What the slots hold that nothing on disk holds as well. Rejects when the process ends. */
  async list(): Promise<readonly HeldPrefix[]> {
    if (this.#ended) throw this.#ended;
    this.#list = Promise.withResolvers();
    this.#send({ type: 'listPrefixes' });
    return this.#list.promise;
  }

  /**
   * Has states of slots written to files, one after the other; nothing may be asked of the model meanwhile.
   * @param onSaved called for each as soon as it is written to its end
   * @returns why not all were saved; `null` when all were. Rejects when the process ends.
   */
  async save(
    dir: string,
    saves: readonly PrefixToSave[],
    onSaved: (saved: SavedPrefix) => void,
  ): Promise<string | null> {
    if (this.#ended) throw this.#ended;
    this.#save = { ...Promise.withResolvers<string | null>(), onSaved };
    this.#send({ type: 'savePrefixes', dir, saves: saves.map(({ slot, file }) => ({ slot, file })) });
    return this.#save.promise;
  }

  handle(message: FromChildOfPrefixes): void {
    switch (message.type) {
      case 'held': {
        const { tokens, prefillMs, deepestTokens } = message;
        this.#held = { tokens, prefillMs, deepestTokens };
        return;
      }
      case 'prefixes':
        this.#list?.resolve(message.held);
        this.#list = null;
        return;
      case 'prefixSaved':
        this.#save?.onSaved(message.saved);
        return;
      case 'prefixesDone':
        this.#save?.resolve(message.failed);
        this.#save = null;
        return;
      case 'prefixRestored':
      case 'prefixBroken':
        this.#onEvent(message);
        return;
      default:
        assertNever(message);
    }
  }

  /** The model is gone, and with it what its slots held. */
  forget(): void {
    this.#held = NOTHING_HELD;
  }

  /** The process has ended. */
  end(error: Error): void {
    this.#ended = error;
    this.#list?.reject(error);
    this.#save?.reject(error);
    this.#list = null;
    this.#save = null;
  }
}
