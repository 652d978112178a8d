import { assertNever } from '../../../shared/assert-never.ts';
import type { FinishReason } from '../../../shared/generation.ts';
import type { AnswerFormat, Choice } from './answer.ts';
import type { Delta } from './usage-tally.ts';

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

/**
 * `chat.completion` and its chunks. The role comes with a choice's first chunk only.
 * @param asFunctions tools were asked for in the API's older form: the first call is answered as a `function_call`
 */
export function chatFormat(
  { id, created, model, includeUsage }: AnswerHead,
  asFunctions: boolean,
): AnswerFormat {
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
  const wireDelta = asFunctions ? functionDelta : toolDelta;
  return {
    opening: (index) => choice(index, { role: 'assistant', content: '' }, null),
    delta(index, delta) {
      const wire = wireDelta(delta);
      return wire === null ? null : choice(index, wire, null);
    },
    finish: (index, reason) => choice(index, {}, wireReason(reason, asFunctions)),
    usage: (usage) => chunk([], usage),
    whole: (choices, usage) => ({
      id,
      object: 'chat.completion',
      created,
      model,
      choices: choices.map((whole, index) => ({
        index,
        message: wireMessage(whole, asFunctions),
        logprobs: null,
        finish_reason: wireReason(whole.reason, asFunctions),
      })),
      ...(usage === null ? {} : { usage }),
    }),
  };
}

/** What a model thinks is not in OpenAI's own protocol: `reasoning_content` is what its clients have come to read. */
function toolDelta(delta: Delta): object {
  switch (delta.type) {
    case 'text-delta':
      return { content: delta.text };
    case 'reasoning-delta':
      return { reasoning_content: delta.text };
    case 'tool-call-start': {
      const { index, id, name } = delta;
      return { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] };
    }
    case 'tool-call-delta':
      return { tool_calls: [{ index: delta.index, function: { arguments: delta.argumentsText } }] };
    default:
      return assertNever(delta);
  }
}

function functionDelta(delta: Delta): object | null {
  switch (delta.type) {
    case 'tool-call-start':
      return delta.index === 0 ? { function_call: { name: delta.name, arguments: '' } } : null;
    case 'tool-call-delta':
      return delta.index === 0 ? { function_call: { arguments: delta.argumentsText } } : null;
    default:
      return toolDelta(delta);
  }
}

function wireMessage({ text, reasoning, toolCalls }: Choice, asFunctions: boolean): object {
  const calls = toolCalls.map(({ id, ...asked }) => ({ id, type: 'function', function: asked }));
  const [first] = calls;
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(first === undefined ? {} : asFunctions ? { function_call: first.function } : { tool_calls: calls }),
  };
}

function wireReason(reason: FinishReason, asFunctions: boolean): string {
  switch (reason) {
    case 'stop':
    case 'length':
      return reason;
    case 'tool-calls':
      return asFunctions ? 'function_call' : 'tool_calls';
    case 'content-filter':
      return 'content_filter';
    default:
      return assertNever(reason);
  }
}
