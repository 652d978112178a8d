import type { LlamaModel, Token } from 'node-llama-cpp';
import { assertNever } from '../../../shared/assert-never.ts';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { EnginePrompt } from '../../../shared/generation.ts';
import { type ContextSizes, contextExceeded } from './context-error.ts';
import type { ChatTemplate } from './template.ts';

export interface Vocabulary {
  /** Tokens. */
  readonly size: number;
  /** No token stands for a longer text. */
  readonly longestTokenBytes: number;
}

/** What bounds a prompt before its tokens are counted. */
export interface PromptBounds extends ContextSizes {
  readonly vocabulary: Vocabulary;
}

/**
 * The tokens of a prompt. In `chat` only the template's own text makes special tokens; in `text` and `tokens` the
 * caller speaks the model's language directly.
 * @throws RoundhouseError when the template refuses the messages, a token id is not in the vocabulary, or the text is
 *   far beyond the context: megabytes take seconds to tokenize, in which no other request of this engine goes on
 */
export function tokenizePrompt(
  model: LlamaModel,
  template: ChatTemplate,
  prompt: EnginePrompt,
  bounds: PromptBounds,
): Token[] {
  switch (prompt.kind) {
    case 'chat': {
      const pieces = template.render(prompt.messages);
      checkLength(pieces, bounds);
      return withBos(model, tokenizePieces(model, pieces));
    }
    case 'text':
      checkLength([prompt.text], bounds);
      return withBos(model, model.tokenize(prompt.text, true));
    case 'tokens':
      return checkedTokens(bounds.vocabulary, prompt.tokens);
    default:
      return assertNever(prompt);
  }
}

function checkLength(pieces: readonly string[], bounds: PromptBounds): void {
  const chars = pieces.reduce((sum, piece) => sum + piece.length, 0);
  // A character has at least one byte.
  const leastTokens = Math.ceil(chars / Math.max(1, bounds.vocabulary.longestTokenBytes));
  if (leastTokens >= bounds.contextSize) throw contextExceeded(`at least ${leastTokens}`, bounds);
}

function tokenizePieces(model: LlamaModel, pieces: readonly string[]): Token[] {
  const tokens: Token[] = [];
  for (const [index, piece] of pieces.entries()) {
    // Only a prompt's beginning gets the leading space that some tokenizers add.
    for (const token of model.tokenize(piece, true, index === 0 ? undefined : 'trimLeadingSpace')) {
      tokens.push(token);
    }
  }
  return tokens;
}

/** Templates differ in whether they write the beginning-of-text token themselves; it must stand there once. */
function withBos(model: LlamaModel, tokens: Token[]): Token[] {
  const { bos, shouldPrependBosToken } = model.tokens;
  if (bos === null || !shouldPrependBosToken || tokens[0] === bos) return tokens;
  return [bos, ...tokens];
}

function checkedTokens(vocabulary: Vocabulary, ids: readonly number[]): Token[] {
  checkVocabulary(vocabulary, ids, 'prompt');
  // The library brands token ids; these were just checked to be some.
  return ids as Token[];
}

/** @throws RoundhouseError `invalid_request` when the model has no such token; `param` is what the request calls them */
export function checkVocabulary({ size }: Vocabulary, ids: Iterable<number>, param: string): void {
  for (const id of ids) {
    if (id < size) continue;
    throw new RoundhouseError(
      'invalid_request',
      `token ${id} is not in this model's vocabulary of ${size} tokens; its ids are 0 to ${size - 1}`,
      { param },
    );
  }
}
