import type OpenAI from 'openai';
import { KNOWN_MODEL, type Reply, USED } from './brain.ts';
import type { Flavour } from './openai-flavours.ts';

/* The answers of OpenAI's chat completions, streamed and whole, as each flavour of server writes them. */

type Chunk = OpenAI.ChatCompletionChunk;
type Delta = OpenAI.ChatCompletionChunk.Choice.Delta;
type CallPiece = OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall;

const FINISH = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
} as const;
const HEAD = { id: 'chatcmpl-1', created: 1_735_142_223, model: KNOWN_MODEL } as const;
const USAGE: OpenAI.CompletionUsage = {
  prompt_tokens: USED.prompt,
  completion_tokens: USED.completion,
  total_tokens: USED.prompt + USED.completion,
  prompt_tokens_details: { cached_tokens: USED.cached },
  completion_tokens_details: { reasoning_tokens: USED.thinking },
};

export function streamed(flavour: Flavour, answer: Reply, withUsage: boolean): string[] {
  const chunk = (delta: Delta & { reasoning_content?: string; reasoning?: string }): Chunk => ({
    ...HEAD,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: null }],
  });
  // vLLM and llama.cpp name thoughts as DeepSeek does, OpenRouter, Groq and Ollama otherwise.
  const thought = (text: string) =>
    flavour === 'openrouter' || flavour === 'groq' || flavour === 'ollama'
      ? { reasoning: text }
      : { reasoning_content: text };
  const chunks: Chunk[] = [
    chunk({ role: 'assistant', content: '' }),
    ...answer.thoughts.map((text) => chunk(thought(text))),
    ...answer.text.map((content) => chunk({ content })),
    ...answer.calls.flatMap((call, index) =>
      callChunks(flavour, call, index).map((call) => chunk({ tool_calls: [call] })),
    ),
    { ...chunk({}), choices: [{ index: 0, delta: {}, finish_reason: FINISH[answer.finish] }] },
  ];
  if (withUsage) {
    // llama.cpp has timings beside it, OpenRouter the price.
    const extra = { 'llama.cpp': { timings: { prompt_n: 12 } }, openrouter: { provider: 'Somebody' } }[
      flavour as string
    ];
    chunks.push({ ...chunk({}), choices: [], usage: USAGE, ...extra });
  }
  const processing = flavour === 'openrouter' ? [': OPENROUTER PROCESSING\n\n'] : [];
  return [...processing, ...chunks.map(event), 'data: [DONE]\n\n'];
}

/** OpenAI streams the arguments in pieces; Ollama sends a call whole. */
function callChunks(
  flavour: Flavour,
  { id, name, arguments: args }: Reply['calls'][number],
  index: number,
): CallPiece[] {
  const json = JSON.stringify(args);
  if (flavour === 'ollama') return [{ index, id, type: 'function', function: { name, arguments: json } }];
  return [
    { index, id, type: 'function', function: { name, arguments: '' } },
    ...(json.match(/.{1,5}/gs) ?? []).map((piece) => ({ index, function: { arguments: piece } })),
  ];
}

export function whole(answer: Reply): OpenAI.ChatCompletion {
  return {
    ...HEAD,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        finish_reason: FINISH[answer.finish],
        logprobs: null,
        message: {
          role: 'assistant',
          content: answer.text.join(''),
          refusal: null,
          ...(answer.calls.length > 0 && {
            tool_calls: answer.calls.map(({ id, name, arguments: args }) => ({
              id,
              type: 'function' as const,
              function: { name, arguments: JSON.stringify(args) },
            })),
          }),
        },
      },
    ],
    usage: USAGE,
  };
}

export function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
