import { z } from 'zod';
import { type GenerationRequest, PLAIN } from '../../../shared/generation.ts';
import { parseBody } from '../request-errors.ts';
import { messagesSchema } from './chat-messages.ts';
import { optional, samplingOf, sharedFields, tokenCount } from './shared-fields.ts';
import { refuseUnsupported, UNSUPPORTED_IN_CHAT } from './unsupported.ts';

const chatRequestSchema = z.object({
  ...sharedFields,
  messages: messagesSchema,
  max_tokens: optional(tokenCount(1)),
  max_completion_tokens: optional(tokenCount(1)),
});

/** What a request to either endpoint asks for, in terms of generations. */
export interface Asked {
  /** `null` = whatever `auto` stands for. */
  readonly model: string | null;
  /** One for each choice of the answer, in the order of their indexes. */
  readonly requests: readonly GenerationRequest[];
  /** Choices that share one prompt, which `usage` counts once. */
  readonly choicesPerPrompt: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** @throws RoundhouseError `invalid_request`, `unsupported_parameter`, `unsupported_content`, with the param */
export function parseChatRequest(body: unknown): Asked {
  refuseUnsupported(UNSUPPORTED_IN_CHAT, body);
  const fields = parseBody(chatRequestSchema, body);
  return {
    model: fields.model,
    requests: Array.from({ length: fields.n }, (_, choice) => ({
      prompt: { kind: 'chat', messages: fields.messages },
      maxTokens: fields.max_completion_tokens ?? fields.max_tokens,
      stop: fields.stop,
      sampling: samplingOf(fields, choice),
      ...PLAIN,
    })),
    choicesPerPrompt: fields.n,
    stream: fields.stream,
    includeUsage: fields.stream_options,
  };
}
