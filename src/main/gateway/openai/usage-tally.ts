import { assertNever } from '../../../shared/assert-never.ts';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { FinishReason, StreamPart, Usage } from '../../../shared/generation.ts';

/** `usage` as OpenAI's clients read it. */
export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

/** A piece of an answer. */
export type Delta = Extract<
  StreamPart,
  { type: 'text-delta' | 'reasoning-delta' | 'tool-call-start' | 'tool-call-delta' }
>;
/** A part that a client is shown. */
export type News = Delta | Extract<StreamPart, { type: 'finish' }> | { readonly type: 'nothing' };

/** Follows the parts of all choices of one answer: which have finished, and what they cost together. */
export class UsageTally {
  readonly #choices: number;
  readonly #choicesPerPrompt: number;
  readonly #reasons = new Map<number, FinishReason>();
  readonly #usages = new Map<number, Usage>();
  /** Tool calls that have begun, by choice. */
  readonly #calls = new Map<number, Set<number>>();

  constructor(choices: number, choicesPerPrompt: number) {
    this.#choices = choices;
    this.#choicesPerPrompt = choicesPerPrompt;
  }

  /**
   * Notes a part and gives what of it is to be shown.
   * @throws RoundhouseError that an `error` part carries
   */
  take(index: number, part: StreamPart): News {
    switch (part.type) {
      case 'text-delta':
      case 'reasoning-delta':
        return part.text === '' ? { type: 'nothing' } : part;
      case 'finish':
        this.#reasons.set(index, part.reason);
        return part;
      case 'tool-call-start':
        this.#calls.set(index, (this.#calls.get(index) ?? new Set()).add(part.index));
        return part;
      case 'tool-call-delta':
        if (!this.#calls.get(index)?.has(part.index)) {
          throw new Error(`arguments came for tool call ${part.index}, which never began`);
        }
        return part.argumentsText === '' ? { type: 'nothing' } : part;
      case 'usage':
        this.#usages.set(index, part);
        return { type: 'nothing' };
      case 'error':
        throw RoundhouseError.fromJSON(part.error);
      default:
        return assertNever(part);
    }
  }

  /**
   * How each choice ended.
   * @throws RoundhouseError `engine_failed` when one did not: an answer that just stops must not look whole
   */
  reasons(): FinishReason[] {
    return Array.from({ length: this.#choices }, (_, index) => {
      const reason = this.#reasons.get(index);
      if (reason !== undefined) return reason;
      throw new RoundhouseError('engine_failed', 'The answer broke off before it was complete. Try again.');
    });
  }

  /**
   * The sum over all choices; a prompt that several choices share counts once, as its first choice found it.
   * @returns `null` when a choice came without: a provider that does not count must not look free
   */
  usage(): WireUsage | null {
    if (this.#usages.size < this.#choices) return null;
    let promptTokens = 0;
    let cachedTokens = 0;
    let completionTokens = 0;
    let reasoningTokens = 0;
    for (const [index, usage] of this.#usages) {
      completionTokens += usage.completionTokens;
      reasoningTokens += usage.reasoningTokens;
      if (index % this.#choicesPerPrompt !== 0) continue;
      promptTokens += usage.promptTokens;
      cachedTokens += usage.cachedTokens;
    }
    return {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: cachedTokens },
      completion_tokens_details: { reasoning_tokens: reasoningTokens },
    };
  }
}
