import type { AnswerFormat } from './answer.ts';

/** What all parts of one answer share. */
export interface AnswerHead {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The id of the model that answers. */
  readonly model: string;
  /** A usage chunk will come, so the others say that it is not theirs to tell. */
  readonly includeUsage: boolean;
}

/** `chat.completion` and its chunks. The role comes with a choice's first chunk only. */
export function chatFormat({ id, created, model, includeUsage }: AnswerHead): AnswerFormat {
  const chunk = (choices: object[], usage: object | null = null) => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    choices,
    ...(includeUsage ? { usage } : {}),
  });
  const choice = (index: number, delta: object, reason: string | null) =>
    chunk([{ index, delta, logprobs: null, finish_reason: reason }]);
  return {
    opening: (index) => choice(index, { role: 'assistant', content: '' }, null),
    delta: (index, text) => choice(index, { content: text }, null),
    finish: (index, reason) => choice(index, {}, reason),
    usage: (usage) => chunk([], usage),
    whole: (choices, usage) => ({
      id,
      object: 'chat.completion',
      created,
      model,
      choices: choices.map(({ text, reason }, index) => ({
        index,
        message: { role: 'assistant', content: text, refusal: null },
        logprobs: null,
        finish_reason: reason,
      })),
      usage,
    }),
  };
}
