import { z } from 'zod';
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

/** One message of a chat as OpenAI's clients write it. Text parts become one text, each on a line of its own. */
export const wireMessageSchema = z
  .object({
    role: z.string(),
    content: z.unknown().optional(),
    name: z.string().nullish(),
    tool_calls: z.unknown().optional(),
    function_call: z.unknown().optional(),
  })
  .transform((message, context): ChatMessage => {
    const role = ROLES.get(message.role);
    if (role === undefined) {
      const advice = message.role === 'function' ? ': it is obsolete, use "tool"' : '';
      return refuse(
        context,
        ['role'],
        `The role must be system, developer, user, assistant or tool, not ${JSON.stringify(message.role.slice(0, 60))}${advice}.`,
      );
    }
    for (const field of ['tool_calls', 'function_call'] as const) {
      const calls = message[field];
      if (calls === undefined || calls === null || (Array.isArray(calls) && calls.length === 0)) continue;
      return refuse(
        context,
        [field],
        `Tools are not supported yet, so a message cannot carry "${field}": leave it out of the request.`,
        'unsupported_parameter',
      );
    }
    return {
      role,
      content: readContent(message.content, role, context),
      ...(message.name ? { name: message.name } : {}),
    };
  });

function readContent(content: unknown, role: ChatMessage['role'], context: z.RefinementCtx): string {
  if (typeof content === 'string') return content;
  if ((content === null || content === undefined) && role === 'assistant') return '';
  if (!Array.isArray(content)) {
    return refuse(
      context,
      ['content'],
      `The content of a ${role} message must be a string or a list of text parts.`,
    );
  }
  const texts: string[] = [];
  for (const [index, part] of content.entries()) {
    const text = readPart(part, role, ['content', index], context);
    if (text === null) return z.NEVER;
    texts.push(text);
  }
  return texts.join('\n');
}

/** The text of one part; `null` after it was refused. */
function readPart(
  part: unknown,
  role: ChatMessage['role'],
  path: readonly (string | number)[],
  context: z.RefinementCtx,
): string | null {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) {
    refuse(context, path, 'Each part of a message must be an object such as {"type":"text","text":"…"}.');
    return null;
  }
  const type: unknown = Reflect.get(part, 'type');
  // An assistant's earlier refusal is something it said.
  const textField = type === 'text' ? 'text' : type === 'refusal' && role === 'assistant' ? 'refusal' : null;
  if (textField !== null) {
    const text: unknown = Reflect.get(part, textField);
    if (typeof text === 'string') return text;
    refuse(context, [...path, textField], `"${textField}" of a ${textField} part must be a string.`);
    return null;
  }
  const other = typeof type === 'string' ? OTHER_CONTENT.get(type) : undefined;
  if (other !== undefined) {
    refuse(
      context,
      [...path, 'type'],
      `This model reads text only, no ${other}: send text parts.`,
      'unsupported_content',
    );
    return null;
  }
  refuse(
    context,
    [...path, 'type'],
    type === undefined
      ? 'Each part of a message needs a "type".'
      : `${JSON.stringify(type).slice(0, 60)} is not a known type of part: send text parts.`,
  );
  return null;
}
