import { Buffer } from 'node:buffer';
import type { ChatMessage, ContentPart } from '../../../shared/generation.ts';
import { type Path, type Refuse, shown } from '../request-errors.ts';
import { fieldOf, isObject } from './json-object.ts';

const MAX_PARTS = 10_000;
const MAX_LINK_CHARS = 8192;
const MAX_FILE_NAME_CHARS = 512;
/** The head of a data URL: its media type, any parameters, base64. */
const DATA_URL_HEAD = /^data:([\w.+-]{1,64}\/[\w.+-]{1,128})(?:;[\w.+-]{1,64}=[\w.+-]{1,64}){0,4};base64,/;
const LONGEST_HEAD_CHARS = 1024;

const DETAILS: ReadonlyMap<unknown, 'auto' | 'low' | 'high' | null> = new Map([
  [undefined, null],
  [null, null],
  ['auto', 'auto'],
  ['low', 'low'],
  ['high', 'high'],
  // As it is, which is as much as "high" can be.
  ['original', 'high'],
]);

/**
 * What a message says. Text parts alone become one text, each on a line of its own: many servers take nothing else.
 * @returns `null` after it was refused
 */
export function readContent(
  content: unknown,
  role: ChatMessage['role'],
  wrong: Refuse,
): ChatMessage['content'] | null {
  if (typeof content === 'string') return content;
  if ((content === null || content === undefined) && role === 'assistant') return '';
  if (!Array.isArray(content)) {
    return wrong(['content'], `The content of a ${role} message must be a string or a list of parts.`);
  }
  if (content.length > MAX_PARTS) {
    return wrong(['content'], `A message must have at most ${MAX_PARTS} parts, not ${content.length}.`);
  }
  const parts: ContentPart[] = [];
  for (const [index, entry] of content.entries()) {
    const part = readPart(entry, role, ['content', index], wrong);
    if (part === null) return null;
    parts.push(part);
  }
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return texts.length === parts.length ? texts.join('\n') : parts;
}

function readPart(part: unknown, role: ChatMessage['role'], path: Path, wrong: Refuse): ContentPart | null {
  if (!isObject(part)) {
    return wrong(path, 'Each part of a message must be an object such as {"type":"text","text":"…"}.');
  }
  const type = fieldOf(part, 'type');
  // An assistant's earlier refusal is something it said.
  if (type === 'text' || (type === 'refusal' && role === 'assistant')) {
    const text = fieldOf(part, type);
    if (typeof text === 'string') return { type: 'text', text };
    return wrong([...path, type], `"${type}" of a ${type} part must be a string.`);
  }
  const read = typeof type === 'string' ? MEDIA.get(type) : undefined;
  if (read !== undefined && typeof type === 'string') {
    if (role === 'user') return read(fieldOf(part, type), [...path, type], wrong);
    return wrong([...path, 'type'], `Only user messages can hold ${type} parts: send it in one.`);
  }
  if (type === 'video_url' || type === 'video') {
    return wrong([...path, 'type'], 'Video is not supported yet: send images of it.', 'unsupported_content');
  }
  return wrong(
    [...path, 'type'],
    type === undefined
      ? 'Each part of a message needs a "type".'
      : `${shown(type)} is not a known type of part: it must be text, image_url, input_audio or file.`,
  );
}

type ReadMedia = (value: unknown, path: Path, wrong: Refuse) => ContentPart | null;

const MEDIA: ReadonlyMap<string, ReadMedia> = new Map([
  ['image_url', readImage],
  ['input_audio', readAudio],
  ['file', readFile],
]);

function readImage(value: unknown, path: Path, wrong: Refuse): ContentPart | null {
  const image = typeof value === 'string' ? { url: value } : value;
  if (!isObject(image)) {
    return wrong(path, '"image_url" must be an object such as {"url":"https://…"}.');
  }
  const url = fieldOf(image, 'url');
  const detail = DETAILS.get(fieldOf(image, 'detail'));
  if (detail === undefined) {
    return wrong([...path, 'detail'], '"detail" must be auto, low or high.');
  }
  if (typeof url === 'string' && url.startsWith('data:')) {
    const data = readDataUrl(url);
    if (data?.mediaType.startsWith('image/')) return { type: 'image', url, detail };
    return wrong(
      [...path, 'url'],
      'A data URL of an image must be "data:image/png;base64,…", with valid base64.',
    );
  }
  if (typeof url === 'string' && url.length <= MAX_LINK_CHARS && isHttps(url)) {
    return { type: 'image', url, detail };
  }
  return wrong(
    [...path, 'url'],
    `The URL of an image must begin with "https://" or "data:image/", and a link have at most ${MAX_LINK_CHARS} characters.`,
  );
}

function readAudio(value: unknown, path: Path, wrong: Refuse): ContentPart | null {
  if (!isObject(value)) {
    return wrong(path, '"input_audio" must be an object such as {"data":"…","format":"wav"}.');
  }
  const data = fieldOf(value, 'data');
  const format = fieldOf(value, 'format');
  if (typeof data !== 'string' || !isBase64(data)) {
    return wrong([...path, 'data'], 'The data of a sound must be base64, and not empty.');
  }
  if (typeof format !== 'string' || !/^[a-z0-9]{1,16}$/.test(format)) {
    return wrong([...path, 'format'], 'The format of a sound must be named, such as "wav" or "mp3".');
  }
  return { type: 'audio', base64: data, format };
}

function readFile(value: unknown, path: Path, wrong: Refuse): ContentPart | null {
  if (!isObject(value)) {
    return wrong(path, '"file" must be an object such as {"filename":"…","file_data":"data:…"}.');
  }
  const name = fieldOf(value, 'filename') ?? null;
  const data = fieldOf(value, 'file_data');
  if (name !== null && (typeof name !== 'string' || name.length > MAX_FILE_NAME_CHARS)) {
    return wrong(
      [...path, 'filename'],
      `"filename" must be a string of at most ${MAX_FILE_NAME_CHARS} characters.`,
    );
  }
  if (data === undefined && fieldOf(value, 'file_id') !== undefined) {
    return wrong(
      [...path, 'file_id'],
      'Files that a provider keeps are not supported yet: send the file itself as "file_data".',
      'unsupported_content',
    );
  }
  const read = typeof data === 'string' ? readFileData(data, name) : null;
  if (read === null) {
    return wrong(
      [...path, 'file_data'],
      '"file_data" must be a data URL such as "data:application/pdf;base64,…", with valid base64.',
    );
  }
  return { type: 'file', ...read, name };
}

interface Data {
  readonly mediaType: string;
  readonly base64: string;
}

/** A data URL, or base64 alone, which some clients send; then the name must tell what it is. */
function readFileData(data: string, name: string | null): Data | null {
  if (data.startsWith('data:')) return readDataUrl(data);
  const mediaType = name?.toLowerCase().endsWith('.pdf') ? 'application/pdf' : 'application/octet-stream';
  return isBase64(data) ? { mediaType, base64: data } : null;
}

function readDataUrl(url: string): Data | null {
  const match = DATA_URL_HEAD.exec(url.slice(0, LONGEST_HEAD_CHARS));
  if (match?.[1] === undefined) return null;
  const base64 = url.slice(match[0].length);
  return isBase64(base64) ? { mediaType: match[1].toLowerCase(), base64 } : null;
}

/** Not empty, padded or not. Decoding passes over what does not belong, so what comes out is then too short. */
function isBase64(text: string): boolean {
  const digits = text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
  if (digits === 0 || digits % 4 === 1) return false;
  return Buffer.from(text, 'base64').length === Math.floor((digits * 3) / 4);
}

function isHttps(url: string): boolean {
  return url.startsWith('https://') && URL.canParse(url);
}
