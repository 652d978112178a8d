import { z } from 'zod';
import type { ErrorCode } from '../../../shared/errors.ts';
import type { ChatMessage } from '../../../shared/generation.ts';
import { refuse } from '../request-errors.ts';

const ROLES: ReadonlyMap<string, ChatMessage['role']> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['tool', 'tool'],
]);

const OTHER_CONTENT: ReadonlyMap<string, string> = new Map([
  ['image_url', 'images'],
  ['input_image', 'images'],
  ['image', 'images'],
  ['input_audio', 'audio'],
  ['audio_url', 'audio'],
  ['audio', 'audio'],
  ['video_url', 'video'],
  ['video', 'video'],
  ['file', 'files'],
  ['input_file', 'files'],
  ['document', 'files'],
]);

const MAX_MESSAGES = 100_000;

/**
 * The messages of a chat as OpenAI's clients write them. Text parts become one text, each on a line of its own.
 * Read by hand, because it must stop at the first wrong one: a body can hold ten million.
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
    for (const [index, entry] of value.entries()) {
      const message = readMessage(entry, index, context);
      if (message === null) return z.NEVER;
      messages.push(message);
    }
    return messages;
  });

/** One message; `null` after it was refused. */
function readMessage(entry: unknown, index: number, context: z.RefinementCtx): ChatMessage | null {
  const wrong = (path: readonly (string | number)[], message: string, code?: ErrorCode): null => {
    refuse(context, [index, ...path], message, code);
    return null;
  };
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    return wrong([], 'A message must be an object such as {"role":"user","content":"…"}.');
  }
  const field = (name: string): unknown =>
    Object.hasOwn(entry, name) ? Reflect.get(entry, name) : undefined;
  const asked = field('role');
  const role = typeof asked === 'string' ? ROLES.get(asked) : undefined;
  if (role === undefined) {
    const given = asked === undefined ? 'missing' : `not ${JSON.stringify(asked).slice(0, 60)}`;
    const advice = asked === 'function' ? ': it is obsolete, use "tool"' : '';
    return wrong(['role'], `The role must be system, developer, user, assistant or tool, ${given}${advice}.`);
  }
  for (const name of ['tool_calls', 'function_call']) {
    const calls = field(name);
    if (calls === undefined || calls === null || (Array.isArray(calls) && calls.length === 0)) continue;
    const message = `Tools are not supported yet, so a message cannot carry "${name}": leave it out of the request.`;
    return wrong([name], message, 'unsupported_parameter');
  }
  const content = readContent(field('content'), role, wrong);
  if (content === null) return null;
  const name = field('name');
  return { role, content, ...(typeof name === 'string' && name !== '' ? { name } : {}) };
}

type Refuse = (path: readonly (string | number)[], message: string, code?: ErrorCode) => null;

/** The text of a message; `null` after it was refused. */
function readContent(content: unknown, role: ChatMessage['role'], wrong: Refuse): string | null {
  if (typeof content === 'string') return content;
  if ((content === null || content === undefined) && role === 'assistant') return '';
  if (!Array.isArray(content)) {
    return wrong(['content'], `The content of a ${role} message must be a string or a list of text parts.`);
  }
  const texts: string[] = [];
  for (const [index, part] of content.entries()) {
    const text = readPart(part, role, ['content', index], wrong);
    if (text === null) return null;
    texts.push(text);
  }
  return texts.join('\n');
}

/** The text of one part; `null` after it was refused. */
function readPart(
  part: unknown,
  role: ChatMessage['role'],
  path: readonly (string | number)[],
  wrong: Refuse,
): string | null {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) {
    return wrong(path, 'Each part of a message must be an object such as {"type":"text","text":"…"}.');
  }
  const type: unknown = Reflect.get(part, 'type');
  // An assistant's earlier refusal is something it said.
  const textField = type === 'text' ? 'text' : type === 'refusal' && role === 'assistant' ? 'refusal' : null;
  if (textField !== null) {
    const text: unknown = Reflect.get(part, textField);
    return typeof text === 'string'
      ? text
      : wrong([...path, textField], `"${textField}" of a ${textField} part must be a string.`);
  }
  const other = typeof type === 'string' ? OTHER_CONTENT.get(type) : undefined;
  if (other !== undefined) {
    return wrong(
      [...path, 'type'],
      `Only text can be read yet, no ${other}: send text parts.`,
      'unsupported_content',
    );
  }
  return wrong(
    [...path, 'type'],
    type === undefined
      ? 'Each part of a message needs a "type".'
      : `${JSON.stringify(type).slice(0, 60)} is not a known type of part: send text parts.`,
  );
}
