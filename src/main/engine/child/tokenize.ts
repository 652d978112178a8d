import type { LlamaModel, Token } from 'node-llama-cpp';
import { assertNever } from '../../../shared/assert-never.ts';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { Prompt } from '../../../shared/generation.ts';
import type { ChatTemplate } from './template.ts';

/**
 * The tokens of a prompt. In `chat` only the template's own text makes special tokens; in `text` and `tokens` the
 * caller speaks the model's language directly.
 * @throws RoundhouseError when the template refuses the messages, or a token id is not in the vocabulary
 */
export function tokenizePrompt(model: LlamaModel, template: ChatTemplate, prompt: Prompt): Token[] {
  switch (prompt.kind) {
    case 'chat':
      return withBos(model, tokenizePieces(model, template.render(prompt.messages)));
    case 'text':
      return withBos(model, model.tokenize(prompt.text, true));
    case 'tokens':
      return checkedTokens(model, prompt.tokens);
    default:
      return assertNever(prompt);
  }
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

function checkedTokens(model: LlamaModel, ids: readonly number[]): Token[] {
  const vocabulary = model.fileInfo.metadata.tokenizer?.ggml?.tokens.length ?? Number.POSITIVE_INFINITY;
  for (const id of ids) {
    if (id < vocabulary) continue;
    throw new RoundhouseError(
      'invalid_request',
      `token ${id} is not in this model's vocabulary of ${vocabulary} tokens`,
      { param: 'prompt' },
    );
  }
  // The library brands token ids; these were just checked to be some.
  return ids as Token[];
}
