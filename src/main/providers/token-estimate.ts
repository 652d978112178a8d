import { assertNever } from '../../shared/assert-never.ts';
import type { ContentPart, GenerationRequest } from '../../shared/generation.ts';

/** Of English text; code and other languages have fewer. */
const CHARACTERS_PER_TOKEN = 4;
/** About what vendors count for a picture, whose bytes say nothing of it. */
const TOKENS_PER_MEDIUM = 1000;
/** Roles, separators. */
const TOKENS_PER_MESSAGE = 4;

/** About how many tokens a request holds, to hold it against a limit before anybody has counted. */
export function estimatedTokens({ prompt, tools, responseFormat }: GenerationRequest): number {
  const extras = lengthOf(tools) + lengthOf(responseFormat);
  switch (prompt.kind) {
    case 'text':
      return tokensIn(prompt.text.length + extras);
    case 'tokens':
      return prompt.tokens.length;
    case 'chat': {
      let tokens = tokensIn(extras);
      for (const { content, toolCalls = [] } of prompt.messages) {
        tokens +=
          TOKENS_PER_MESSAGE + toolCalls.reduce((sum, call) => sum + tokensIn(call.arguments.length), 0);
        tokens +=
          typeof content === 'string'
            ? tokensIn(content.length)
            : content.reduce((sum, part) => sum + tokensOf(part), 0);
      }
      return tokens;
    }
    default:
      return assertNever(prompt);
  }
}

function tokensOf(part: ContentPart): number {
  return part.type === 'text' ? tokensIn(part.text.length) : TOKENS_PER_MEDIUM;
}

function tokensIn(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}

function lengthOf(value: object | null): number {
  return value === null ? 0 : JSON.stringify(value).length;
}
