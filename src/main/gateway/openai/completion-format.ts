import type { AnswerFormat } from './answer.ts';
import type { AnswerHead } from './chat-format.ts';

/** `text_completion`, whole and in chunks, which look alike. `openings` holds what each choice begins with. */
export function completionFormat(
  { id, created, model, includeUsage }: AnswerHead,
  openings: readonly string[],
): AnswerFormat {
  const body = (choices: object[]) => ({ id, object: 'text_completion', created, model, choices });
  const chunk = (choices: object[], usage: object | null = null) => ({
    ...body(choices),
    ...(includeUsage ? { usage } : {}),
  });
  const choice = (index: number, text: string, reason: string | null) => ({
    text,
    index,
    logprobs: null,
    finish_reason: reason,
  });
  return {
    opening: (index) => (openings[index] ? chunk([choice(index, openings[index], null)]) : null),
    delta: (index, text) => chunk([choice(index, text, null)]),
    finish: (index, reason) => chunk([choice(index, '', reason)]),
    usage: (usage) => chunk([], usage),
    whole: (choices, usage) => ({
      ...body(
        choices.map(({ text, reason }, index) => choice(index, (openings[index] ?? '') + text, reason)),
      ),
      usage,
    }),
  };
}
