import type {
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4TextPart,
  LanguageModelV4ToolCallPart,
  LanguageModelV4ToolResultPart,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import { assertNever } from '../../shared/assert-never.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { type ChatMessage, type ContentPart, textOf } from '../../shared/generation.ts';

/** What differs between vendors in how a conversation is written. */
export interface PromptDialect {
  /** System messages may only come first: those further down are put there. */
  readonly systemFirst: boolean;
  /** How the arguments of earlier tool calls are sent: as the model wrote them, or parsed. */
  readonly callArguments: 'text' | 'object';
  /** Whether it fetches images by their address. */
  readonly fetchesImages: boolean;
  /** What an image is sent with beside itself. */
  imageOptions(image: Extract<ContentPart, { type: 'image' }>): SharedV4ProviderOptions | undefined;
}

type Part = LanguageModelV4TextPart | LanguageModelV4FilePart;

/**
 * A conversation as the AI SDK's providers take it.
 * @throws RoundhouseError `unsupported_content`, `invalid_request`
 */
export function promptOf(messages: readonly ChatMessage[], dialect: PromptDialect): LanguageModelV4Prompt {
  const names = new Map(
    messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id, name }) => [id, name])),
  );
  const prompt: LanguageModelV4Prompt = [];
  const asked = messages.map((message, index) => ({ message, path: `messages[${index}].content` }));
  for (const { message, path } of dialect.systemFirst ? withSystemFirst(asked) : asked) {
    const written = messageOf(message, { dialect, names, path });
    const last = prompt.at(-1);
    // Google wants all results of a turn in one message; the others do not mind.
    if (last?.role === 'tool' && written.role === 'tool') last.content.push(...written.content);
    else prompt.push(written);
  }
  return prompt;
}

interface Asked {
  readonly message: ChatMessage;
  /** What the request calls its content. */
  readonly path: string;
}

interface Writing {
  readonly dialect: PromptDialect;
  /** Of the tools that were called, by the id of the call. */
  readonly names: ReadonlyMap<string, string>;
  /** What the request calls this content. */
  readonly path: string;
}

function messageOf(message: ChatMessage, writing: Writing): LanguageModelV4Message {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: textOf(message) };
    case 'user':
      return { role: 'user', content: partsOf(message.content, writing) };
    case 'assistant': {
      const text = textOf(message);
      return {
        role: 'assistant',
        content: [
          // An empty text is refused by Anthropic, and says nothing to anybody.
          ...(text === '' ? [] : [{ type: 'text' as const, text }]),
          ...(message.toolCalls ?? []).map((call) => callOf(call, writing.dialect)),
        ],
      };
    }
    case 'tool':
      return { role: 'tool', content: [resultOf(message, writing)] };
    default:
      return assertNever(message.role);
  }
}

function callOf(
  { id, name, arguments: text }: NonNullable<ChatMessage['toolCalls']>[number],
  { callArguments }: PromptDialect,
): LanguageModelV4ToolCallPart {
  return {
    type: 'tool-call',
    toolCallId: id,
    toolName: name,
    input: callArguments === 'text' && parsed(text) !== undefined ? text : argumentsOf(text),
  };
}

/** Arguments as an object; what a model wrote that is none is kept as it is, under a name that says so. */
function argumentsOf(text: string): object {
  if (text.trim() === '') return {};
  const value = parsed(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  return { invalid_json: text };
}

/** `undefined` for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function resultOf(message: ChatMessage, writing: Writing): LanguageModelV4ToolResultPart {
  const { content, toolCallId = '' } = message;
  const plain = typeof content === 'string' || content.every((part) => part.type === 'text');
  return {
    type: 'tool-result',
    toolCallId,
    toolName: writing.names.get(toolCallId) ?? message.name ?? 'unknown',
    output: plain
      ? { type: 'text', value: textOf(message) }
      : { type: 'content', value: partsOf(content, writing) },
  };
}

function partsOf(content: ChatMessage['content'], writing: Writing): Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.map((part, index) => partOf(part, { ...writing, path: `${writing.path}[${index}]` }));
}

function partOf(part: ContentPart, { dialect, path }: Writing): Part {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image': {
      const options = dialect.imageOptions(part);
      return { ...imageOf(part.url, dialect, path), ...(options && { providerOptions: options }) };
    }
    case 'audio':
      return fileOf(part.base64, part.format === 'mp3' ? 'audio/mpeg' : `audio/${part.format}`);
    case 'file':
      return { ...fileOf(part.base64, part.mediaType), ...(part.name !== null && { filename: part.name }) };
    default:
      return assertNever(part);
  }
}

function imageOf(url: string, { fetchesImages }: PromptDialect, path: string): LanguageModelV4FilePart {
  if (url.slice(0, 5).toLowerCase() === 'data:') return dataOf(url, path);
  if (!fetchesImages) {
    throw new RoundhouseError(
      'unsupported_content',
      'The provider of this model does not fetch images: send them as data: URLs.',
      { param: path },
    );
  }
  if (!URL.canParse(url))
    throw new RoundhouseError('invalid_request', 'An image has no usable address.', { param: path });
  return { type: 'file', mediaType: 'image/*', data: { type: 'url', url: new URL(url) } };
}

/** `data:image/png;base64,…`, and the same percent-encoded (RFC 2397). */
function dataOf(url: string, path: string): LanguageModelV4FilePart {
  const comma = url.indexOf(',');
  if (comma === -1)
    throw new RoundhouseError('invalid_request', 'A data: URL has no comma in it.', { param: path });
  const [mediaType = '', ...flags] = url.slice(5, comma).split(';');
  const data = url.slice(comma + 1);
  const base64 = flags.some((flag) => flag.trim().toLowerCase() === 'base64')
    ? data
    : Buffer.from(percentDecoded(data), 'latin1').toString('base64');
  return fileOf(base64, mediaType === '' ? 'image/*' : mediaType.toLowerCase());
}

/** Bytes, not text: `decodeURIComponent` takes UTF-8 only. */
function percentDecoded(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function fileOf(base64: string, mediaType: string): LanguageModelV4FilePart {
  return { type: 'file', mediaType, data: { type: 'data', data: base64 } };
}

/** The texts of all system messages as one, then the rest. */
function withSystemFirst(asked: readonly Asked[]): readonly Asked[] {
  const { system = [], rest = [] } = Object.groupBy(asked, ({ message }) =>
    message.role === 'system' ? 'system' : 'rest',
  );
  const content = system.map(({ message }) => textOf(message)).join('\n\n');
  return system.length === 0 ? rest : [{ message: { role: 'system', content }, path: 'messages' }, ...rest];
}
