import type Anthropic from '@anthropic-ai/sdk';
import type { JsonObject } from '../../../src/shared/generation.ts';
import { CONTEXT, type Heard, isKnown, KNOWN_MODEL, type Reply, reply, USED } from './brain.ts';
import {
  type Protocol,
  type Recorded,
  serveWire,
  type WireAnswer,
  WireRefusal,
  type WireServer,
} from './wire-server.ts';

/*
 * Anthropic's messages and models, typed by its SDK. What it refuses by its documentation is refused: a wrong order of
 * turns, empty texts, results of calls that nobody made.
 */

type Body = Anthropic.MessageCreateParams;
type Block = Anthropic.ContentBlockParam;

/** What we send, and what Anthropic's SDK sends: what is used of them here is the same. */
const VERSIONS: ReadonlySet<unknown> = new Set(['2023-06-01', '2026-10-21']);

export function serveAnthropic(key: string): Promise<WireServer> {
  return serveWire({
    answer(request) {
      // The documentation says the one, Anthropic's newer SDK sends the other.
      const { 'x-api-key': given, authorization } = request.headers;
      if (given !== key && authorization !== `Bearer ${key}`) {
        throw refusal(401, 'authentication_error', 'invalid x-api-key');
      }
      if (!VERSIONS.has(request.headers['anthropic-version'])) {
        throw refusal(400, 'invalid_request_error', 'anthropic-version: header is required');
      }
      const url = new URL(request.path, 'http://fake');
      if (url.pathname === '/v1/models') return models(url.searchParams);
      if (url.pathname === '/v1/messages') return messages(request);
      throw refusal(404, 'not_found_error', 'Not found');
    },
    refusal: (status) =>
      refusal(status, status === 429 ? 'rate_limit_error' : 'api_error', `refused with ${status}`).answer
        .body,
    errorEvent: `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })}\n\n`,
  } satisfies Protocol);
}

function messages({ body }: Recorded): WireAnswer {
  const asked = body as Body;
  if (!isKnown(asked.model)) throw refusal(404, 'not_found_error', `model: ${asked.model}`);
  if (!Number.isInteger(asked.max_tokens)) throw wrong('max_tokens: Field required');
  checkTurns(asked.messages);
  if (thinks(asked)) checkThoughts(asked.messages);
  if (JSON.stringify(asked.messages).length > CONTEXT)
    throw wrong('prompt is too long: 6000 tokens > 5000 maximum');
  const answer = reply(heardOf(asked));
  if (!asked.stream) return { status: 200, body: whole(answer) };
  return {
    status: 200,
    body: events(answer).map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`),
  };
}

function checkTurns(turns: Body['messages']): void {
  const called = new Set<string>();
  for (const [index, { role, content }] of turns.entries()) {
    if (role === 'system') throw wrong(`messages.${index}: system messages come first`);
    for (const block of blocksOf(content)) {
      if (block.type === 'text' && block.text === '')
        throw wrong('messages: text content blocks must be non-empty');
      if (block.type === 'tool_use') called.add(block.id);
      if (block.type === 'tool_result' && !called.has(block.tool_use_id)) {
        throw wrong(`messages.${index}: unexpected tool_use_id: ${block.tool_use_id}`);
      }
    }
  }
}

function thinks({ thinking }: Body): boolean {
  return thinking !== undefined && 'type' in thinking && thinking.type !== 'disabled';
}

/** A turn that calls tools can only be gone on with while thinking if its thoughts come back, signed. */
function checkThoughts(turns: Body['messages']): void {
  const last = blocksOf(turns.at(-1)?.content ?? '');
  if (!last.some(({ type }) => type === 'tool_result')) return;
  const [first] = blocksOf(turns.findLast(({ role }) => role === 'assistant')?.content ?? '');
  if (first?.type !== 'thinking')
    throw wrong('Expected `thinking` or `redacted_thinking`, but found `tool_use`.');
}

function heardOf(body: Body): Heard {
  const blocks = body.messages.flatMap(({ content }) => blocksOf(content));
  const names = new Map(
    blocks.flatMap((block) => (block.type === 'tool_use' ? [[block.id, block.name]] : [])) as [
      string,
      string,
    ][],
  );
  const last = blocksOf(body.messages.at(-1)?.content ?? '');
  const { tool_choice: choice, output_config: output } = body;
  const choices = { auto: 'auto', any: 'required', none: 'none', tool: 'auto' } as const;
  return {
    system:
      typeof body.system === 'string' ? body.system : (body.system ?? []).map(({ text }) => text).join(' '),
    text: last.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(''),
    media: blocks.flatMap((block) => mediaOf(block)),
    results: last.flatMap((block) =>
      block.type === 'tool_result' ? [`${names.get(block.tool_use_id)}: ${resultOf(block.content)}`] : [],
    ),
    tools: (body.tools ?? []).flatMap((tool) =>
      'input_schema' in tool
        ? [{ name: tool.name, parameters: tool.input_schema as unknown as JsonObject }]
        : [],
    ),
    choice:
      choice === undefined ? 'auto' : choice.type === 'tool' ? { name: choice.name } : choices[choice.type],
    schema: (output?.format?.schema as JsonObject | undefined) ?? null,
    maxTokens: body.max_tokens,
    thinks: thinks(body),
  };
}

function blocksOf(content: string | readonly Block[]): readonly Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function resultOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return (content as { type: string; text?: string }[]).map((block) => block.text ?? block.type).join('');
}

function mediaOf(block: Block): string[] {
  if (block.type !== 'image' && block.type !== 'document') return [];
  const { source } = block;
  if (source.type === 'base64') return [`${source.media_type} ${Buffer.from(source.data, 'base64').length}`];
  return source.type === 'url' ? [source.url] : [];
}

const STOP = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
} as const;

/** Its input tokens are those that were neither read from the cache nor written to it. */
const USAGE = {
  input_tokens: USED.prompt - USED.cached - USED.written,
  cache_read_input_tokens: USED.cached,
  cache_creation_input_tokens: USED.written,
  output_tokens: USED.completion,
  output_tokens_details: { thinking_tokens: USED.thinking },
};

/** The events of the documentation; the SDK's types have more fields than any server sends. */
function events(
  answer: Reply,
): readonly { readonly type: Anthropic.RawMessageStreamEvent['type'] | 'ping' }[] {
  const blocks = [
    ...(answer.thoughts.length > 0 ? [thinkingBlock(answer.thoughts)] : []),
    ...(answer.text.length > 0 ? [textBlock(answer.text)] : []),
    ...answer.calls.map(callBlock),
  ];
  return [
    {
      type: 'message_start',
      message: { ...message(answer), content: [], stop_reason: null, usage: { ...USAGE, output_tokens: 1 } },
    },
    { type: 'ping' },
    // The documentation promises that there will be new ones.
    { type: 'weather_report', sky: 'clear' },
    ...blocks.flatMap(({ start, deltas }, index) => [
      { type: 'content_block_start' as const, index, content_block: start },
      ...deltas.map((delta) => ({ type: 'content_block_delta' as const, index, delta })),
      { type: 'content_block_stop' as const, index },
    ]),
    { type: 'message_delta', delta: { stop_reason: STOP[answer.finish], stop_sequence: null }, usage: USAGE },
    { type: 'message_stop' },
  ] as readonly { readonly type: Anthropic.RawMessageStreamEvent['type'] }[];
}

interface StreamedBlock {
  readonly start: { readonly type: Anthropic.ContentBlock['type'] } & Record<string, unknown>;
  readonly deltas: readonly Anthropic.RawContentBlockDelta[];
}

function textBlock(text: readonly string[]): StreamedBlock {
  return {
    start: { type: 'text', text: '' },
    deltas: text.map((piece) => ({ type: 'text_delta', text: piece })),
  };
}

function thinkingBlock(thoughts: readonly string[]): StreamedBlock {
  return {
    start: { type: 'thinking', thinking: '', signature: '' },
    deltas: [
      ...thoughts.map((thinking) => ({ type: 'thinking_delta', thinking }) as Anthropic.ThinkingDelta),
      { type: 'signature_delta', signature: 'c2lnbmVk' },
    ],
  };
}

function callBlock({ id, name, arguments: args }: Reply['calls'][number]): StreamedBlock {
  return {
    start: { type: 'tool_use', id, name, input: {} },
    deltas: (JSON.stringify(args).match(/.{1,5}/gs) ?? []).map((partial_json) => ({
      type: 'input_json_delta',
      partial_json,
    })),
  };
}

function message(answer: Reply) {
  return {
    id: 'msg_1',
    type: 'message' as const,
    role: 'assistant' as const,
    model: KNOWN_MODEL,
    stop_reason: STOP[answer.finish],
    stop_sequence: null,
    usage: USAGE,
  };
}

function whole(answer: Reply): object {
  const content = [
    ...(answer.text.length > 0 ? [{ type: 'text', text: answer.text.join(''), citations: null }] : []),
    ...answer.calls.map(({ id, name, arguments: input }) => ({ type: 'tool_use', id, name, input })),
  ];
  return { ...message(answer), content };
}

/** In pages of one, so that whoever stops after the first has missed some. */
function models(query: URLSearchParams): WireAnswer {
  const all = [
    {
      id: KNOWN_MODEL,
      display_name: 'Fake Model',
      max_input_tokens: 200_000,
      max_tokens: 64_000,
      supported: true,
    },
    {
      id: 'older-model',
      display_name: 'Older Model',
      max_input_tokens: null,
      max_tokens: null,
      supported: false,
    },
  ];
  const from = all.findIndex(({ id }) => id === query.get('after_id')) + 1;
  const page = all.slice(from, from + 1);
  const data = page.map(({ supported, ...model }) => ({
    ...model,
    type: 'model',
    created_at: '2026-01-01T00:00:00Z',
    lifecycle: 'active',
    capabilities: { image_input: { supported }, thinking: { supported }, structured_outputs: { supported } },
  }));
  return {
    status: 200,
    body: {
      data,
      has_more: from + 1 < all.length,
      first_id: page[0]?.id ?? null,
      last_id: page[0]?.id ?? null,
    },
  };
}

function wrong(message: string): WireRefusal {
  return refusal(400, 'invalid_request_error', message);
}

function refusal(status: number, type: string, message: string): WireRefusal {
  return new WireRefusal(status, { type: 'error', error: { type, message }, request_id: 'req_1' });
}
