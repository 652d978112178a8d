import { assertNever } from '../../../shared/assert-never.ts';
import type { FinishReason } from '../../../shared/generation.ts';
import type { AnswerFormat } from './answer.ts';
import type { AnswerHead } from './chat-format.ts';

/**
 * `text_completion`, whole and in chunks, which look alike. It has words for text alone: thinking is left out.
 * @param openings what each choice begins with
 */
export function completionFormat(
  { id, created, model, includeUsage }: AnswerHead,
  openings: readonly string[],
): AnswerFormat {
  const body = (choices: object[]) => ({ id, object: 'text_completion', created, model, choices });
  const chunk = (choices: object[], usage: object | null = null) => ({
    ...body(choices),
    ...(includeUsage ? { usage } : {}),
  });
  const choice = (index: number, text: string, reason: FinishReason | null) => ({
    text,
    index,
    logprobs: null,
    finish_reason: reason === null ? null : wireReason(reason),
  });
  return {
    opening: (index) => (openings[index] ? chunk([choice(index, openings[index], null)]) : null),
    delta: (index, delta) => (delta.type === 'text-delta' ? chunk([choice(index, delta.text, null)]) : null),
    finish: (index, reason) => chunk([choice(index, '', reason)]),
    usage: (usage) => chunk([], usage),
    whole: (choices, usage) => ({
      ...body(
        choices.map(({ text, reason }, index) => choice(index, (openings[index] ?? '') + text, reason)),
      ),
      ...(usage === null ? {} : { usage }),
    }),
  };
}

function wireReason(reason: FinishReason): string {
  switch (reason) {
    case 'stop':
    case 'length':
      return reason;
    // No tools can be asked for here, so nothing was called.
    case 'tool-calls':
      return 'stop';
    case 'content-filter':
      return 'content_filter';
    default:
      return assertNever(reason);
  }
}
