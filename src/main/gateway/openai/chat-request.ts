import { z } from 'zod';
import type { GenerationRequest } from '../../../shared/generation.ts';
import { parseBody } from '../request-errors.ts';
import { reasoningEffortSchema, responseFormatSchema } from './answer-form.ts';
import { messagesSchema } from './chat-messages.ts';
import {
  type BodyOrigin,
  optional,
  originOf,
  samplingOf,
  sharedFields,
  tokenCount,
} from './shared-fields.ts';
import { toolFieldsSchema } from './tool-fields.ts';
import { refuseUnsupported, UNSUPPORTED_IN_CHAT } from './unsupported.ts';

const chatRequestSchema = z.object({
  ...sharedFields,
  messages: messagesSchema,
  max_tokens: optional(tokenCount(1)),
  max_completion_tokens: optional(tokenCount(1)),
  response_format: responseFormatSchema,
  reasoning_effort: reasoningEffortSchema,
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
  readonly origin: BodyOrigin;
}

export interface AskedChat extends Asked {
  /** Calls are to be answered in the API's older form, as a `function_call`. */
  readonly asFunctions: boolean;
}

/** @throws RoundhouseError `invalid_request`, `unsupported_parameter`, `unsupported_content`, with the param */
export function parseChatRequest(body: unknown): AskedChat {
  refuseUnsupported(UNSUPPORTED_IN_CHAT, body);
  const fields = parseBody(chatRequestSchema, body);
  const { tools, asFunctions } = parseBody(toolFieldsSchema, body);
  const origin = originOf(fields);
  return {
    model: fields.model,
    requests: Array.from({ length: fields.n }, (_, choice) => ({
      prompt: { kind: 'chat', messages: fields.messages },
      maxTokens: fields.max_completion_tokens ?? fields.max_tokens,
      stop: fields.stop,
      sampling: samplingOf(fields, choice),
      tools,
      responseFormat: fields.response_format,
      reasoningEffort: fields.reasoning_effort,
      user: origin.user,
    })),
    choicesPerPrompt: fields.n,
    stream: fields.stream,
    includeUsage: fields.stream_options,
    origin,
    asFunctions,
  };
}
