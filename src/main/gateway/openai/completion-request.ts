import { z } from 'zod';
import { RoundhouseError } from '../../../shared/errors.ts';
import { PLAIN, type Prompt } from '../../../shared/generation.ts';
import { parseBody, refuse } from '../request-errors.ts';
import type { Asked } from './chat-request.ts';
import { originOf, samplingOf, sharedFields, tokenCount } from './shared-fields.ts';
import { refuseUnsupported, UNSUPPORTED_IN_COMPLETIONS } from './unsupported.ts';

/** The API's own default; without one a base model writes until its context is full. */
const DEFAULT_MAX_TOKENS = 16;
/** Prompts × n. Each is a generation of its own. */
const MAX_CHOICES = 128;
const MAX_TOKEN_ID = 0x7fff_ffff;

/** A string, a list of strings, a list of token ids, or a list of such lists. */
const promptsSchema = z
  .unknown()
  .optional()
  .transform((value, context): Prompt[] => {
    if (typeof value === 'string') return [{ kind: 'text', text: value }];
    if (!Array.isArray(value) || value.length === 0) {
      return refuse(
        context,
        [],
        value === undefined || value === null
          ? '"prompt" is needed.'
          : '"prompt" must be a string, or a list of strings, of token ids or of lists of token ids, and not empty.',
      );
    }
    if (typeof value[0] === 'number') return [{ kind: 'tokens', tokens: readTokens(value, [], context) }];
    if (value.length > MAX_CHOICES) {
      return refuse(context, [], `"prompt" must hold at most ${MAX_CHOICES} prompts, not ${value.length}.`);
    }
    return value.map((entry: unknown, index): Prompt => {
      if (typeof entry === 'string' && typeof value[0] === 'string') return { kind: 'text', text: entry };
      if (Array.isArray(entry) && Array.isArray(value[0])) {
        return { kind: 'tokens', tokens: readTokens(entry, [index], context) };
      }
      return refuse(
        context,
        [index],
        'The entries of "prompt" must all be strings, or all lists of token ids.',
      );
    });
  });

function readTokens(tokens: readonly unknown[], path: readonly number[], context: z.RefinementCtx): number[] {
  if (tokens.length === 0) return refuse(context, path, 'A prompt of token ids must not be empty.');
  const wrong = tokens.findIndex((token) => !isTokenId(token));
  if (wrong !== -1) return refuse(context, [...path, wrong], 'A token id must be a whole number from 0 up.');
  return tokens.filter(isTokenId);
}

function isTokenId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TOKEN_ID;
}

const completionRequestSchema = z.object({
  ...sharedFields,
  prompt: promptsSchema,
  max_tokens: tokenCount(0)
    .nullish()
    .transform((count) => count ?? DEFAULT_MAX_TOKENS),
  echo: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
});

export interface AskedCompletion extends Asked {
  /** What each choice begins with: its prompt when `echo` was asked for, else nothing. */
  readonly openings: readonly string[];
}

/** @throws RoundhouseError `invalid_request`, `unsupported_parameter`, with the param */
export function parseCompletionRequest(body: unknown): AskedCompletion {
  refuseUnsupported(UNSUPPORTED_IN_COMPLETIONS, body);
  const fields = parseBody(completionRequestSchema, body);
  const origin = originOf(fields);
  const choices = fields.prompt.length * fields.n;
  if (choices > MAX_CHOICES) {
    throw new RoundhouseError(
      'invalid_request',
      `One request can have at most ${MAX_CHOICES} choices, and ${fields.prompt.length} prompts × n ${fields.n} are ` +
        `${choices}: send it in parts.`,
      { param: 'prompt' },
    );
  }
  const prompts = fields.prompt.flatMap((prompt) =>
    Array.from({ length: fields.n }, (_, choice) => ({ prompt, choice })),
  );
  return {
    model: fields.model,
    requests: prompts.map(({ prompt, choice }) => ({
      prompt,
      maxTokens: fields.max_tokens,
      stop: fields.stop,
      sampling: samplingOf(fields, choice),
      ...PLAIN,
      user: origin.user,
    })),
    choicesPerPrompt: fields.n,
    stream: fields.stream,
    includeUsage: fields.stream_options,
    origin,
    openings: prompts.map(({ prompt }) => (fields.echo ? echoOf(prompt) : '')),
  };
}

function echoOf(prompt: Prompt): string {
  if (prompt.kind === 'text') return prompt.text;
  throw new RoundhouseError(
    'unsupported_parameter',
    'Echoing a prompt of token ids is not supported yet: leave "echo" out, or send the prompt as text.',
    { param: 'echo' },
  );
}
