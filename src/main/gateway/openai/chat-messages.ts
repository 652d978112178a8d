import { z } from 'zod';
import type { ChatMessage, ToolCall } from '../../../shared/generation.ts';
import { type Path, type Refuse, refuse, refuser, shown } from '../request-errors.ts';
import { readContent } from './content-parts.ts';
import { fieldOf, isObject } from './json-object.ts';
import { isToolName, TOOL_NAME_RULE } from './tool-fields.ts';

const ROLES: ReadonlyMap<unknown, ChatMessage['role']> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['tool', 'tool'],
  // What answers a `function_call`, before there were tools.
  ['function', 'tool'],
]);

const MAX_MESSAGES = 100_000;
const MAX_CALLS = 1000;
const MAX_ID_CHARS = 512;

/**
 * The messages of a chat as OpenAI's clients write them. Read by hand, because it must stop at the first wrong one: a
 * body can hold ten million.
 */
export const messagesSchema = z
  .unknown()
  .optional()
  .transform((value, context): ChatMessage[] => {
    if (value === undefined) return refuse(context, [], '"messages" is needed.');
    if (!Array.isArray(value)) return refuse(context, [], '"messages" must be a list.');
    if (value.length === 0) return refuse(context, [], '"messages" must hold at least one message.');
    if (value.length > MAX_MESSAGES) {
      return refuse(
        context,
        [],
        `"messages" must hold at most ${MAX_MESSAGES} messages, not ${value.length}.`,
      );
    }
    const messages: ChatMessage[] = [];
    const functionCalls: FunctionCalls = new Map();
    for (const [index, entry] of value.entries()) {
      const message = readMessage(entry, index, functionCalls, refuser(context, [index]));
      if (message === null) return z.NEVER;
      messages.push(message);
    }
    return messages;
  });

/** The ids given to the latest `function_call` of each name: that older form has none. */
type FunctionCalls = Map<unknown, string>;

/** One message; `null` after it was refused. */
function readMessage(
  entry: unknown,
  index: number,
  functionCalls: FunctionCalls,
  wrong: Refuse,
): ChatMessage | null {
  if (!isObject(entry)) {
    return wrong([], 'A message must be an object such as {"role":"user","content":"…"}.');
  }
  const asked = fieldOf(entry, 'role');
  const role = ROLES.get(asked);
  if (role === undefined) {
    const given = asked === undefined ? 'missing' : `not ${shown(asked)}`;
    return wrong(['role'], `The role must be system, developer, user, assistant or tool, ${given}.`);
  }
  const content = readContent(fieldOf(entry, 'content'), role, wrong);
  if (content === null) return null;
  const name = fieldOf(entry, 'name');
  const message = { role, content, ...(typeof name === 'string' && name !== '' ? { name } : {}) };
  if (role === 'assistant') {
    const toolCalls = readCalls(entry, index, functionCalls, wrong);
    if (toolCalls === null) return null;
    return toolCalls.length === 0 ? message : { ...message, toolCalls };
  }
  if (asked === 'function') {
    const toolCallId = functionCalls.get(name);
    if (toolCallId !== undefined) return { ...message, toolCallId };
    return wrong(
      ['name'],
      'A function message must carry the name that a "function_call" of an assistant message before it asked for.',
    );
  }
  if (role !== 'tool') return message;
  const toolCallId = fieldOf(entry, 'tool_call_id');
  if (isId(toolCallId)) return { ...message, toolCallId };
  return wrong(
    ['tool_call_id'],
    toolCallId === undefined
      ? 'A tool message needs the "tool_call_id" that it answers.'
      : `"tool_call_id" must be a string of 1 to ${MAX_ID_CHARS} characters.`,
  );
}

/** What an assistant message asked for, in the present form or the older one; `null` after it was refused. */
function readCalls(
  entry: Readonly<Record<string, unknown>>,
  index: number,
  functionCalls: FunctionCalls,
  wrong: Refuse,
): readonly ToolCall[] | null {
  const calls = fieldOf(entry, 'tool_calls') ?? [];
  const functionCall = fieldOf(entry, 'function_call') ?? null;
  if (!Array.isArray(calls) || calls.length > MAX_CALLS) {
    return wrong(['tool_calls'], `"tool_calls" must be a list of at most ${MAX_CALLS} calls.`);
  }
  const read: ToolCall[] = [];
  for (const [at, call] of calls.entries()) {
    const toolCall = readCall(call, ['tool_calls', at], wrong);
    if (toolCall === null) return null;
    read.push(toolCall);
  }
  if (functionCall === null) return read;
  if (read.length > 0) {
    return wrong(['function_call'], 'A message has either "tool_calls" or the older "function_call".');
  }
  const asked = readFunction(functionCall, ['function_call'], wrong);
  if (asked === null) return null;
  const id = `call_${index}`;
  functionCalls.set(asked.name, id);
  return [{ id, ...asked }];
}

function readCall(call: unknown, path: Path, wrong: Refuse): ToolCall | null {
  if (!isObject(call)) {
    return wrong(path, 'A tool call must be an object such as {"id":"…","type":"function","function":{…}}.');
  }
  const type = fieldOf(call, 'type') ?? 'function';
  if (type === 'custom') {
    return wrong(
      [...path, 'type'],
      'Tools that take free text are not supported yet: use functions.',
      'unsupported_parameter',
    );
  }
  if (type !== 'function') {
    return wrong([...path, 'type'], `The type of a tool call must be "function", not ${shown(type)}.`);
  }
  const id = fieldOf(call, 'id');
  if (!isId(id)) {
    return wrong(
      [...path, 'id'],
      `The id of a tool call must be a string of 1 to ${MAX_ID_CHARS} characters.`,
    );
  }
  const asked = readFunction(fieldOf(call, 'function'), [...path, 'function'], wrong);
  return asked === null ? null : { id, ...asked };
}

function readFunction(
  value: unknown,
  path: Path,
  wrong: Refuse,
): Pick<ToolCall, 'name' | 'arguments'> | null {
  if (!isObject(value)) {
    return wrong(path, 'A call of a function must be an object such as {"name":"…","arguments":"{…}"}.');
  }
  const name = fieldOf(value, 'name');
  if (!isToolName(name)) return wrong([...path, 'name'], TOOL_NAME_RULE);
  const text = fieldOf(value, 'arguments') ?? '';
  if (typeof text === 'string') return { name, arguments: text };
  return wrong([...path, 'arguments'], `"arguments" must be JSON as a string, not ${shown(text)}.`);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_CHARS;
}
