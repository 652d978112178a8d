import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp';
import type { Usage } from '../../../shared/generation.ts';
import { beatsPrefill, LearnedRate } from '../prefix-value.ts';
import type {
  FromChildOfPrefixes,
  HeldPrefix,
  PrefixOffer,
  PrefixToSave,
  SavedPrefix,
} from '../protocol-prefix.ts';
import type { Gate } from './gate.ts';
import { type FoundState, messageOf, type SavedState, SavedStates } from './saved-states.ts';
import { commonPrefixLength } from './slots.ts';
import { checksumOf, createPrivateFile, expectSize } from './state-file.ts';

/** Below this the first token's own time hides what reading the prompt takes. */
const MIN_MEASURED_TOKENS = 32;

/** A slot whose state can be saved and restored. */
export interface StatefulSlot {
  sequence: LlamaContextSequence;
  readonly busy: boolean;
}

export interface PrefixCacheOptions {
  readonly context: LlamaContext;
  readonly gate: Gate;
  readonly offer: PrefixOffer | undefined;
  readonly report: (message: FromChildOfPrefixes) => void;
  readonly monotonicMs: () => number;
}

/** The states of one model's slots on their way to disk and back. The files are the app's; here they are read and written. */
export class PrefixCache {
  readonly #options: PrefixCacheOptions;
  readonly #saved: SavedStates | null;
  /** Milliseconds per token; as it was when the states were saved, until it is measured. */
  #prefill: LearnedRate | null;
  #measured = false;

  constructor(options: PrefixCacheOptions) {
    const { offer, report } = options;
    this.#options = options;
    this.#saved = offer
      ? new SavedStates(offer, (file, reason) => report({ type: 'prefixBroken', file, reason }))
      : null;
    const before = offer?.prefillMsPerToken ?? null;
    this.#prefill = before === null ? null : new LearnedRate(before, 1);
  }

  /** The saved state that shares most with a prompt. */
  async find(prompt: readonly Token[]): Promise<FoundState | null> {
    // At least one token is evaluated anyway: logits come only from that.
    return (await this.#saved?.longestCommon(prompt.slice(0, -1))) ?? null;
  }

  /** Whether restoring a state is expected to be quicker than reading so many tokens. */
  isWorthRestoring(state: SavedState, savedTokens: number): boolean {
    const restoreMsPerByte = this.#options.offer?.restoreMsPerByte ?? Number.POSITIVE_INFINITY;
    return beatsPrefill(state.bytes, savedTokens * this.#msPerToken, restoreMsPerByte);
  }

  /** Puts a saved state into a slot, whatever that held. A file that is wrong leaves the slot as it was, or empty. */
  async restore(slot: StatefulSlot, state: SavedState): Promise<boolean> {
    const { context, gate, report, monotonicMs } = this.#options;
    const startMs = monotonicMs();
    // A state of another model may end the process: nothing else reaches llama.cpp than what was saved.
    if (!(await this.#saved?.isWhole(state))) return false;
    try {
      await gate.closedWhile(() => slot.sequence.loadStateFromFile(state.path, { acceptRisk: true }));
    } catch (error) {
      this.#saved?.giveUp(state, messageOf(error));
      // What the attempt left in the slot is unknown.
      await gate.closedWhile(() => slot.sequence.dispose());
      slot.sequence = context.getSequence();
      return false;
    }
    const { file, bytes } = state;
    report({ type: 'prefixRestored', file, bytes, restoreMs: monotonicMs() - startMs });
    return true;
  }

  /** Learns from an answer, and tells what the slots hold after it. */
  answered(usage: Usage | null, restored: boolean, slots: readonly StatefulSlot[]): void {
    const readTokens = usage === null ? 0 : usage.promptTokens - usage.cachedTokens;
    if (usage && !restored && readTokens >= MIN_MEASURED_TOKENS) {
      if (!this.#measured) this.#prefill = new LearnedRate(usage.prefillMs, readTokens);
      else this.#prefill?.add(usage.prefillMs, readTokens);
      this.#measured = true;
    }
    const tokens = tokensOf(slots);
    this.#options.report({
      type: 'held',
      tokens,
      prefillMs: tokens * this.#msPerToken,
      deepestTokens: Math.max(0, ...slots.filter(canBeSaved).map(({ sequence }) => sequence.nextTokenIndex)),
    });
  }

  /** What of the slots is on no disk yet, and in no other slot. */
  async list(slots: readonly StatefulSlot[]): Promise<HeldPrefix[]> {
    const held = slots.map((slot, index) => ({
      slot: index,
      tokens: slot.busy || !canBeSaved(slot) ? [] : slot.sequence.contextTokens,
    }));
    // Of all slots together; a file has the token ids beside it, and a head.
    const bytesPerToken = this.#options.context.stateSize / Math.max(1, tokensOf(slots));
    const listed: HeldPrefix[] = [];
    for (const { slot, tokens } of held) {
      if (tokens.length === 0 || held.some((other) => isPartOf(tokens, slot, other))) continue;
      const { replaces, isSaved } = (await this.#saved?.coveredBy(tokens)) ?? NOT_COVERED;
      if (isSaved) continue;
      const bytes = Math.ceil(tokens.length * (bytesPerToken + 4)) + 64;
      listed.push({
        slot,
        tokens: tokens.length,
        bytes,
        prefillMs: tokens.length * this.#msPerToken,
        replaces,
      });
    }
    return listed;
  }

  /**
   * Writes states of slots, one after the other, and reports each when it is written to its end.
   * @returns why not all were; `null` when all were
   */
  async save(
    slots: readonly StatefulSlot[],
    dir: string,
    saves: readonly PrefixToSave[],
  ): Promise<string | null> {
    let failed: string | null = null;
    for (const { slot: index, file } of saves) {
      const slot = slots[index];
      const path = join(dir, file);
      try {
        if (!slot || slot.busy) throw new Error(`slot ${index} is in use`);
        this.#options.report({ type: 'prefixSaved', saved: await this.#save(slot.sequence, path, file) });
      } catch (error) {
        failed = messageOf(error);
        await rm(path, { force: true }).catch(() => {});
      }
    }
    return failed;
  }

  async #save(sequence: LlamaContextSequence, path: string, file: string): Promise<SavedPrefix> {
    const startMs = this.#options.monotonicMs();
    const tokens = sequence.nextTokenIndex;
    await createPrivateFile(path);
    const { fileSize } = await sequence.saveStateToFile(path);
    await expectSize(path, fileSize);
    const written = await checksumOf(path);
    return { file, tokens, ...written, saveMs: this.#options.monotonicMs() - startMs };
  }

  get #msPerToken(): number {
    return this.#prefill?.msPerUnit ?? 0;
  }
}

function tokensOf(slots: readonly StatefulSlot[]): number {
  return slots.reduce((sum, { sequence }) => sum + sequence.nextTokenIndex, 0);
}

const NOT_COVERED = { replaces: [], isSaved: false };

/**
 * Recurrent and hybrid models and those with a sliding window are left out: their state cannot be cut to what it shares
 * with a prompt, but through checkpoints, which node-llama-cpp does not save with it.
 */
function canBeSaved({ sequence }: StatefulSlot): boolean {
  return !sequence.needsCheckpoints;
}

/** Whether another slot holds all of these tokens too; of two equal slots the first counts. */
function isPartOf(
  tokens: readonly number[],
  slot: number,
  other: { readonly slot: number; readonly tokens: readonly number[] },
): boolean {
  if (other.slot === slot || commonPrefixLength(tokens, other.tokens) < tokens.length) return false;
  return other.tokens.length > tokens.length || other.slot < slot;
}
