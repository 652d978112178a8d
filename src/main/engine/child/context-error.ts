import { RoundhouseError } from '../../../shared/errors.ts';

export interface ContextSizes {
  /** Tokens one slot holds. */
  readonly contextSize: number;
  /** The most that it could hold: more was not trained for. */
  readonly trainContextSize: number;
}

/**
 * A prompt that leaves no room for an answer. The words are the OpenAI API's: clients look for them.
 * @param promptTokens as many as were counted, or `at least N` where counting them all would take too long
 */
export function contextExceeded(promptTokens: string, sizes: ContextSizes): RoundhouseError {
  const { contextSize, trainContextSize } = sizes;
  const raise =
    contextSize < trainContextSize
      ? `, or raise contextSize for this model: it was trained for ${trainContextSize}`
      : '; this model was not trained for more';
  return new RoundhouseError(
    'context_length_exceeded',
    `This model's maximum context length is ${contextSize} tokens. However, your messages resulted in ${promptTokens} tokens. ` +
      `Please reduce the length of the messages${raise}.`,
    { param: 'messages' },
  );
}
