import type { GgufValue } from '../test/fixtures/gguf-writer.ts';

/*
 * Made-up vocabularies that llama.cpp loads and can tokenise any text with: all bytes, and words without a meaning.
 */

export type TokenizerKind = 'bpe' | 'spm';

type Metadata = [key: string, value: GgufValue][];

const TYPES = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;
const CHATML_TOKENS = ['<|im_start|>', '<|im_end|>'] as const;
const LONGEST_WORD = 12;

/** The `tokenizer.ggml.*` keys for a vocabulary of `size` tokens, without the chat template. */
export function makeTokenizer(kind: TokenizerKind, size: number, random: () => number): Metadata {
  return kind === 'bpe' ? makeBpe(size, random) : makeSpm(size, random);
}

/** The 256 bytes, then words, each merged of two tokens before it, then the control tokens. */
function makeBpe(size: number, random: () => number): Metadata {
  const control = ['<|endoftext|>', ...CHATML_TOKENS];
  const bytes = byteTokens();
  const words = makeWords(size - bytes.length - control.length, 'Ġ', random);
  const tokens = [...bytes, ...words.map((word) => word.text), ...control];
  const merges = words.map((word) => `${word.left} ${word.right}`);
  const types = tokens.map((token) => (control.includes(token) ? TYPES.control : TYPES.normal));
  return [
    ['tokenizer.ggml.model', { type: 'text', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'text', value: 'qwen2' }],
    ['tokenizer.ggml.tokens', { type: 'texts', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'i32s', value: types }],
    ['tokenizer.ggml.merges', { type: 'texts', value: merges }],
    ...specialIds(tokens, '<|endoftext|>'),
  ];
}

/** Unknown, begin, end, the 256 bytes, letters and words with scores, then ChatML's tokens. */
function makeSpm(size: number, random: () => number): Metadata {
  const first = ['<unk>', '<s>', '</s>'];
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const letters = [...LETTERS, '▁'];
  const fixed = first.length + bytes.length + letters.length + CHATML_TOKENS.length;
  const words = makeWords(size - fixed, '▁', random).map((word) => word.text);
  const tokens = [...first, ...bytes, ...letters, ...words, ...CHATML_TOKENS];
  const types = [
    TYPES.unknown,
    TYPES.control,
    TYPES.control,
    ...bytes.map(() => TYPES.byte),
    ...[...letters, ...words].map(() => TYPES.normal),
    ...CHATML_TOKENS.map(() => TYPES.control),
  ];
  return [
    ['tokenizer.ggml.model', { type: 'text', value: 'llama' }],
    ['tokenizer.ggml.tokens', { type: 'texts', value: tokens }],
    ['tokenizer.ggml.scores', { type: 'f32s', value: tokens.map((_, index) => -index) }],
    ['tokenizer.ggml.token_type', { type: 'i32s', value: types }],
    ...specialIds(tokens, '<s>'),
  ];
}

function specialIds(tokens: readonly string[], begin: string): Metadata {
  return [
    ['tokenizer.ggml.bos_token_id', { type: 'u32', value: tokens.indexOf(begin) }],
    ['tokenizer.ggml.eos_token_id', { type: 'u32', value: tokens.indexOf('<|im_end|>') }],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: 0 }],
  ];
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];

interface Word {
  readonly text: string;
  readonly left: string;
  readonly right: string;
}

/** `count` different words; each is one before it, or a letter, with one more letter. */
function makeWords(count: number, space: string, random: () => number): Word[] {
  const letters = [...LETTERS, space];
  const parts = [...letters];
  const known = new Set(parts);
  const words: Word[] = [];
  while (words.length < count) {
    const left = parts[Math.floor(random() * parts.length)] ?? '';
    const right = letters[Math.floor(random() * letters.length)] ?? '';
    const text = left + right;
    if (text.length > LONGEST_WORD || known.has(text)) continue;
    known.add(text);
    parts.push(text);
    words.push({ text, left, right });
  }
  return words;
}

/** GPT-2's way to write each byte as one printable character. */
function byteTokens(): string[] {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

/** mulberry32: small, fast, and good enough for weights and words. Numbers from 0 up to 1. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
