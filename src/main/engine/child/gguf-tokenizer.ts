import { MAX_TEMPLATE_BYTES, type TokenizerFacts } from '../protocol-estimate.ts';
import { type Metadata, type MetadataValue, TEXT } from './gguf-metadata.ts';
import { GgufReader, HeaderAllowance } from './gguf-reader.ts';

/*
 * The second reading of a header, after its types and lengths were found sound: of the vocabulary, what an engine has to
 * know that llama.cpp does not tell, and the chat template. Everything else of it is left on the disk.
 */

const LIMITS = {
  tokens: 1024 * 1024,
  specialTokens: 65_536,
  specialTokenBytes: 1024,
  allSpecialTokensBytes: 4 * 1024 * 1024,
} as const;

const INT32 = 5;
const UINT32 = 4;
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
/** Bytes of `<` and `[`, with which markup begins. */
const MARKUP_BEGINS: readonly number[] = [0x3c, 0x5b];
/** Looks like markup: `<tool_call>`, `[INST]`. */
const MARKUP = /^[<[].*[>\]]$/s;

type ListValue = Extract<MetadataValue, { kind: 'list' }>;

/** @throws RoundhouseError `gguf_invalid` when the vocabulary is larger than any model's */
export function readTokenizer(path: string, metadata: Metadata): TokenizerFacts {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const types = metadata.get('tokenizer.ggml.token_type');
  const template = metadata.get('tokenizer.chat_template');
  const vocabulary =
    tokens?.kind === 'list' && tokens.itemType === TEXT
      ? readTokens(path, tokens, types?.kind === 'list' ? types : null)
      : { longestTokenBytes: 0, specialTokens: [] };
  const templateBytes = template?.kind === 'text' ? template.bytes : 0;
  return {
    ...vocabulary,
    chatTemplate:
      template?.kind === 'text' && templateBytes > 0 && templateBytes <= MAX_TEMPLATE_BYTES
        ? (template.value ?? textAt(path, template.offset, templateBytes))
        : null,
    chatTemplateBytes: templateBytes,
  };
}

function readTokens(
  path: string,
  tokens: ListValue,
  types: ListValue | null,
): Pick<TokenizerFacts, 'longestTokenBytes' | 'specialTokens'> {
  using reader = readerAt(path, tokens.offset);
  if (tokens.length > LIMITS.tokens) {
    const allowed = LIMITS.tokens.toLocaleString('en');
    throw reader.invalid(
      `its vocabulary has ${tokens.length.toLocaleString('en')} tokens, more than the ${allowed} allowed`,
    );
  }
  const typeOf = readTypes(path, tokens.length, types);
  const specialTokens: { id: number; type: number; text: string }[] = [];
  let specialBytes = 0;
  let longestTokenBytes = 0;
  for (let id = 0; id < tokens.length; id++) {
    const bytes = reader.count(tokens.textBytes, 'the length of a token');
    longestTokenBytes = Math.max(longestTokenBytes, bytes);
    const type = typeOf?.[id] ?? NORMAL;
    if (!mayBeSpecial(type, bytes, reader)) {
      reader.skip(bytes);
      continue;
    }
    if (bytes > LIMITS.specialTokenBytes) {
      throw reader.invalid(
        `its special token ${id} has ${bytes} bytes, more than the ${LIMITS.specialTokenBytes} allowed`,
      );
    }
    const text = reader.utf8(bytes);
    if (type === NORMAL || type === USER_DEFINED ? MARKUP.test(text) : text.length > 1)
      specialTokens.push({ id, type, text });
    specialBytes += bytes;
    if (specialTokens.length > LIMITS.specialTokens || specialBytes > LIMITS.allSpecialTokensBytes) {
      throw reader.invalid(
        `its first ${(id + 1).toLocaleString('en')} tokens have ${specialTokens.length.toLocaleString('en')} special ones of ${specialBytes.toLocaleString('en')} bytes together, more than any model's`,
      );
    }
  }
  return { longestTokenBytes, specialTokens };
}

/**
 * What must not come from the text of messages: control tokens, the unknown token, and those that look like markup. Other
 * user-defined tokens are plain text (runs of spaces, line ends). llama.cpp takes some normal tokens that look like markup
 * for control tokens, because files often leave their ends of turn unmarked: the engine asks it.
 */
function mayBeSpecial(type: number, bytes: number, reader: GgufReader): boolean {
  if (bytes < 2) return false;
  if (type === UNKNOWN || type === CONTROL) return true;
  if (type !== NORMAL && type !== USER_DEFINED) return false;
  return bytes <= LIMITS.specialTokenBytes && MARKUP_BEGINS.includes(reader.peekU8());
}

/** `null` where the file gives no types that llama.cpp could read. */
function readTypes(path: string, count: number, types: ListValue | null): Uint8Array | null {
  if (!types || types.length !== count || (types.itemType !== INT32 && types.itemType !== UINT32))
    return null;
  using reader = readerAt(path, types.offset);
  const read = new Uint8Array(count);
  for (let id = 0; id < count; id++) read[id] = Math.min(reader.u32(), 255);
  return read;
}

function textAt(path: string, offset: number, bytes: number): string {
  using reader = readerAt(path, offset);
  return reader.longUtf8(bytes);
}

/** What is read now was measured before, within the allowance of the first reading. */
function readerAt(path: string, offset: number): GgufReader {
  const reader = new GgufReader(path, new HeaderAllowance(Number.MAX_SAFE_INTEGER));
  reader.skip(offset);
  return reader;
}
