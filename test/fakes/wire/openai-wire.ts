import type OpenAI from 'openai';
import type { JsonObject } from '../../../src/shared/generation.ts';
import { CONTEXT, type Heard, isKnown, KNOWN_MODEL, reply } from './brain.ts';
import { event, streamed, whole } from './openai-events.ts';
import type { Flavour } from './openai-flavours.ts';
import { besideApi, MODELS } from './openai-lists.ts';
import {
  type Protocol,
  type Recorded,
  serveWire,
  type WireAnswer,
  WireRefusal,
  type WireServer,
} from './wire-server.ts';

/*
 * OpenAI's chat completions, models and embeddings, typed by OpenAI's SDK; and what servers that are compatible with it do
 * otherwise, by their documentation and sources.
 */

type Body = OpenAI.ChatCompletionCreateParams & JsonObject;

type Part = OpenAI.ChatCompletionContentPart | OpenAI.ChatCompletionContentPartRefusal;

/** Below `/v1`, or where the vendor has it. */
export const OPENAI_PATHS: Readonly<Record<Flavour, string>> = {
  openai: '/v1',
  openrouter: '/api/v1',
  groq: '/openai/v1',
  vllm: '/v1',
  'llama.cpp': '/v1',
  ollama: '/v1',
  'lm-studio': '/v1',
};

/** What OpenAI itself takes, of what our tests send; others take more. */
const PARAMETERS = new Set(
  (
    'model messages stream stream_options max_tokens max_completion_tokens temperature top_p stop seed frequency_penalty ' +
    'presence_penalty logit_bias user tools tool_choice parallel_tool_calls response_format reasoning_effort'
  ).split(' '),
);

/** OpenRouter's, which is a chunk as well. */
const OPENROUTER_ERROR = {
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_735_142_223,
  model: KNOWN_MODEL,
  error: { code: 502, message: 'Provider disconnected unexpectedly' },
  choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }],
};

export function serveOpenAi(flavour: Flavour, key: string | null): Promise<WireServer> {
  const base = OPENAI_PATHS[flavour];
  return serveWire({
    answer(request) {
      const beside = besideApi(flavour, request);
      if (beside !== null) return beside;
      if (!request.path.startsWith(`${base}/`)) throw notThere();
      checkKey(request, key);
      const path = request.path.slice(base.length).replace(/\?.*$/, '');
      if (path === '/models') return { status: 200, body: { object: 'list', data: MODELS[flavour] } };
      if (path === '/key' && flavour === 'openrouter')
        return { status: 200, body: { data: { label: 'test', usage: 0 } } };
      if (path === '/embeddings')
        return { status: 200, body: embeddings(request.body as OpenAI.EmbeddingCreateParams) };
      if (path === '/chat/completions') return chat(flavour, request.body as Body);
      throw notThere();
    },
    refusal: (status) => errorBody(`refused with ${status}`, 'server_error', null),
    errorEvent: event(
      flavour === 'openrouter'
        ? OPENROUTER_ERROR
        : errorBody('The server had an error', 'server_error', null),
    ),
  } satisfies Protocol);
}

function chat(flavour: Flavour, body: Body): WireAnswer {
  if (!isKnown(body.model)) throw unknownModel(flavour, body.model);
  if (flavour === 'openai' || flavour === 'groq') {
    const unknown = Object.keys(body).find((name) => !PARAMETERS.has(name));
    if (unknown !== undefined) {
      throw new WireRefusal(
        400,
        errorBody(`Unrecognized request argument supplied: ${unknown}`, 'invalid_request_error', null),
      );
    }
  }
  if (body.model.startsWith('gpt-5')) refuseForThinkers(body);
  if (JSON.stringify(body.messages).length > CONTEXT) throw tooLong(flavour);
  const answer = reply(heardOf(body));
  if (!body.stream) return { status: 200, body: whole(answer) };
  return { status: 200, body: streamed(flavour, answer, body.stream_options?.include_usage === true) };
}

/** What OpenAI's models that think do not take. */
function refuseForThinkers(body: Body): void {
  const refused = ['max_tokens', 'temperature', 'top_p', 'presence_penalty'].find(
    (name) => body[name] !== undefined,
  );
  if (refused === undefined) return;
  throw new WireRefusal(400, {
    error: {
      message: `Unsupported parameter: '${refused}' is not supported with this model.`,
      type: 'invalid_request_error',
      param: refused,
      code: 'unsupported_parameter',
    },
  });
}

function heardOf(body: Body): Heard {
  const { messages } = body;
  const parts = messages.flatMap(({ content }): readonly Part[] => (Array.isArray(content) ? content : []));
  const lastAnswer = messages.findLastIndex(({ role }) => role === 'assistant');
  const names = new Map(
    messages.flatMap((message) =>
      message.role === 'assistant'
        ? (message.tool_calls ?? []).flatMap((call) =>
            call.type === 'function' ? [[call.id, call.function.name]] : [],
          )
        : [],
    ) as [string, string][],
  );
  const results = messages.slice(lastAnswer + 1).flatMap((message) => {
    if (message.role !== 'tool') return [];
    const name = names.get(message.tool_call_id);
    if (name === undefined) {
      throw new WireRefusal(
        400,
        errorBody('messages with role "tool" must follow tool_calls', 'invalid_request_error', null),
      );
    }
    return [`${name}: ${textIn(message.content)}`];
  });
  const format = body.response_format;
  const choice = body.tool_choice ?? 'auto';
  return {
    system: messages
      .flatMap((m) => (m.role === 'system' || m.role === 'developer' ? [textIn(m.content)] : []))
      .join(' '),
    text: textIn(messages.findLast(({ role }) => role !== 'tool')?.content),
    media: parts.flatMap((part) => mediaOf(part)),
    results,
    tools: (body.tools ?? []).flatMap((tool) =>
      tool.type === 'function'
        ? [{ name: tool.function.name, parameters: tool.function.parameters as JsonObject }]
        : [],
    ),
    choice:
      typeof choice === 'string' ? choice : { name: choice.type === 'function' ? choice.function.name : '' },
    schema:
      format?.type === 'json_schema'
        ? (format.json_schema.schema as JsonObject)
        : format?.type === 'json_object'
          ? true
          : null,
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? null,
    thinks: typeof body.reasoning_effort === 'string' && body.reasoning_effort !== 'none',
  };
}

function textIn(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.flatMap((part: { type: string; text?: string }) => part.text ?? []).join('');
}

function mediaOf(part: Part): string[] {
  if (part.type === 'image_url') {
    const { url, detail } = part.image_url;
    return [`${described(url)}${detail === undefined ? '' : ` (${detail})`}`];
  }
  if (part.type === 'input_audio') {
    return [`audio/${part.input_audio.format} ${Buffer.from(part.input_audio.data, 'base64').length}`];
  }
  if (part.type === 'file') return [`${part.file.filename} ${described(part.file.file_data ?? '')}`];
  return [];
}

/** `image/png 68` of a data: URL, and any other address as it is. */
function described(url: string): string {
  const match = /^data:([^;]+);base64,(.*)$/s.exec(url);
  return match ? `${match[1]} ${Buffer.from(match[2] ?? '', 'base64').length}` : url;
}

function embeddings({ input, encoding_format: format }: OpenAI.EmbeddingCreateParams): object {
  const texts = Array.isArray(input) ? input.map(String) : [input];
  const data = texts.map((text, index) => {
    const vector = [text.length, index, 0.5];
    const bytes = Buffer.from(Float32Array.from(vector).buffer).toString('base64');
    return { object: 'embedding', index, embedding: format === 'base64' ? bytes : vector };
  });
  return { object: 'list', model: KNOWN_MODEL, data, usage: { prompt_tokens: 5, total_tokens: 5 } };
}

function checkKey({ headers }: Recorded, key: string | null): void {
  if (key === null || headers.authorization === `Bearer ${key}`) return;
  const given = String(headers.authorization).slice(0, 20);
  throw new WireRefusal(
    401,
    errorBody(`Incorrect API key provided: ${given}***.`, 'invalid_request_error', 'invalid_api_key'),
  );
}

function unknownModel(flavour: Flavour, model: string): WireRefusal {
  if (flavour === 'openrouter')
    return new WireRefusal(400, { error: { code: 400, message: `${model} is not a valid model ID` } });
  if (flavour === 'ollama') {
    return new WireRefusal(
      404,
      errorBody(`model "${model}" not found, try pulling it first`, 'api_error', null),
    );
  }
  return new WireRefusal(
    404,
    errorBody(`The model \`${model}\` does not exist`, 'invalid_request_error', 'model_not_found'),
  );
}

function tooLong(flavour: Flavour): WireRefusal {
  switch (flavour) {
    case 'llama.cpp':
      return new WireRefusal(400, {
        error: {
          code: 400,
          message: 'the request exceeds the available context size',
          type: 'exceed_context_size_error',
        },
      });
    case 'openrouter':
      return new WireRefusal(400, {
        error: { code: 400, message: "This endpoint's maximum context length is 5000 tokens." },
      });
    default:
      return new WireRefusal(
        400,
        errorBody(
          "This model's maximum context length is 5000 tokens.",
          'invalid_request_error',
          'context_length_exceeded',
        ),
      );
  }
}

function notThere(): WireRefusal {
  return new WireRefusal(404, { detail: 'Not Found' });
}

function errorBody(message: string, type: string, code: string | null): object {
  return { error: { message, type, param: null, code } };
}
