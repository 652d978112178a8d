import { RoundhouseError } from '../../../shared/errors.ts';

/**
 * A prompt that leaves no room for an answer. The words are the OpenAI API's: clients look for them.
 * @param promptTokens as many as were counted, or `at least N` where counting them all would take too long
 */
export function contextExceeded(promptTokens: string, contextSize: number): RoundhouseError {
  return new RoundhouseError(
    'context_length_exceeded',
    `This model's maximum context length is ${contextSize} tokens. However, your messages resulted in ${promptTokens} tokens. ` +
      'Please reduce the length of the messages, or raise contextSize for this model.',
    { param: 'messages' },
  );
}
