import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  type GgufTensor,
  type GgufValue,
  ggufHeader,
  pad,
  tensorBytes,
} from '../test/fixtures/gguf-writer.ts';
import { createRandom, makeTokenizer, type TokenizerKind } from './make-tokenizer.ts';

/*
 * Writes GGUF models of real shapes with random weights: what memory and speed depend on is real, what they say is not.
 * The same arguments always give the same file.
 *
 *   node bench/make-model.ts --shape 135m --type q8_0 --vocab 128k --out model.gguf
 */

export interface ModelShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly feedForward: number;
  readonly contextSize: number;
}

/** Llama-like, with grouped-query attention; named after their parameters with their usual vocabulary. */
export const SHAPES = {
  '260k': { layers: 5, width: 64, heads: 8, kvHeads: 4, feedForward: 172, contextSize: 2048 },
  '15m': { layers: 6, width: 288, heads: 6, kvHeads: 2, feedForward: 768, contextSize: 8192 },
  '135m': { layers: 30, width: 576, heads: 9, kvHeads: 3, feedForward: 1536, contextSize: 8192 },
  '1b': { layers: 16, width: 2048, heads: 32, kvHeads: 8, feedForward: 8192, contextSize: 131_072 },
} as const satisfies Record<string, ModelShape>;

export const VOCABULARIES = { '512': 512, '32k': 32_000, '128k': 128_000 } as const;

export type ShapeName = keyof typeof SHAPES;
export type VocabularyName = keyof typeof VOCABULARIES;
export type WeightType = 'f16' | 'q8_0' | 'q4_0';

export interface ModelRecipe {
  readonly shape: ShapeName;
  readonly type: WeightType;
  readonly vocab: VocabularyName;
  /** Byte-level BPE as in Llama 3 and Qwen (default), or SentencePiece as in Llama 2 and Gemma. */
  readonly tokenizer?: TokenizerKind;
  /** Default 1. */
  readonly seed?: number;
  /** A matrix of its own for the output, instead of the token embedding again. Default false, as small models have it. */
  readonly separateOutput?: boolean;
  /** Makes every other layer look back only so many tokens (Gemma 2's architecture instead of Llama's). */
  readonly slidingWindow?: number;
}

const ALIGNMENT = 32;
const FILE_TYPES: Readonly<Record<WeightType, number>> = { f16: 1, q8_0: 7, q4_0: 2 };
const CHATML = `{%- for message in messages -%}
<|im_start|>{{ message['role'] }}
{{ message['content'] }}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% endif -%}
`;

/** Writes the model to `out` and gives the file's size in bytes. */
export function makeModel(recipe: ModelRecipe, out: string): number {
  const random = createRandom(recipe.seed ?? 1);
  const tensors = tensorsOf(recipe);
  const header = ggufHeader({ metadata: metadataOf(recipe, random), tensors, alignment: ALIGNMENT });
  const weights = WEIGHT_POOLS[recipe.type](random);
  const file = openSync(out, 'w');
  try {
    let bytes = writeSync(file, header);
    for (const tensor of tensors) {
      bytes += writeTensor(file, tensor, weights, random);
      const padding = pad(bytes, ALIGNMENT) - bytes;
      if (padding > 0) bytes += writeSync(file, Buffer.alloc(padding));
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

function metadataOf(recipe: ModelRecipe, random: () => number): (readonly [string, GgufValue])[] {
  const shape = SHAPES[recipe.shape];
  const architecture = recipe.slidingWindow === undefined ? 'llama' : 'gemma2';
  const text = (value: string): GgufValue => ({ type: 'text', value });
  const u32 = (value: number): GgufValue => ({ type: 'u32', value });
  return [
    ['general.architecture', text(architecture)],
    ['general.name', text(`Random ${recipe.shape} ${recipe.type} ${recipe.vocab}`)],
    ['general.file_type', u32(FILE_TYPES[recipe.type])],
    [`${architecture}.context_length`, u32(shape.contextSize)],
    [`${architecture}.embedding_length`, u32(shape.width)],
    [`${architecture}.block_count`, u32(shape.layers)],
    [`${architecture}.feed_forward_length`, u32(shape.feedForward)],
    [`${architecture}.attention.head_count`, u32(shape.heads)],
    [`${architecture}.attention.head_count_kv`, u32(shape.kvHeads)],
    [`${architecture}.attention.layer_norm_rms_epsilon`, { type: 'f32', value: 1e-5 }],
    [`${architecture}.rope.dimension_count`, u32(shape.width / shape.heads)],
    [`${architecture}.rope.freq_base`, { type: 'f32', value: 500_000 }],
    [`${architecture}.vocab_size`, u32(VOCABULARIES[recipe.vocab])],
    ...makeTokenizer(recipe.tokenizer ?? 'bpe', VOCABULARIES[recipe.vocab], random),
    ...(recipe.slidingWindow === undefined
      ? []
      : ([[`${architecture}.attention.sliding_window`, u32(recipe.slidingWindow)]] as const)),
    ['tokenizer.chat_template', text(CHATML)],
  ];
}

function tensorsOf(recipe: ModelRecipe): GgufTensor[] {
  const shape = SHAPES[recipe.shape];
  const { width, feedForward } = shape;
  const kvWidth = (width / shape.heads) * shape.kvHeads;
  const vocabulary = VOCABULARIES[recipe.vocab];
  const matrix = (name: string, columns: number, rows: number): GgufTensor => ({
    name: `${name}.weight`,
    dimensions: [columns, rows],
    type: recipe.type.toUpperCase(),
  });
  const norm = (name: string): GgufTensor => ({ name: `${name}.weight`, dimensions: [width], type: 'F32' });
  const block = (index: number) => [
    norm(`blk.${index}.attn_norm`),
    matrix(`blk.${index}.attn_q`, width, width),
    matrix(`blk.${index}.attn_k`, width, kvWidth),
    matrix(`blk.${index}.attn_v`, width, kvWidth),
    matrix(`blk.${index}.attn_output`, width, width),
    norm(`blk.${index}.ffn_norm`),
    matrix(`blk.${index}.ffn_gate`, width, feedForward),
    matrix(`blk.${index}.ffn_up`, width, feedForward),
    matrix(`blk.${index}.ffn_down`, feedForward, width),
    ...(recipe.slidingWindow === undefined
      ? []
      : [norm(`blk.${index}.post_attention_norm`), norm(`blk.${index}.post_ffw_norm`)]),
  ];
  return [
    matrix('token_embd', width, vocabulary),
    ...Array.from({ length: shape.layers }, (_, index) => block(index)).flat(),
    norm('output_norm'),
    ...(recipe.separateOutput ? [matrix('output', width, vocabulary)] : []),
  ];
}

/**
 * Random bytes of one weight type, to be written over and over. Their number of units is prime, so that no two rows of
 * a matrix begin at the same place.
 */
interface WeightPool {
  readonly bytes: Buffer;
  readonly unitBytes: number;
}

function randomF16(random: () => number): WeightPool {
  const units = 1_000_003;
  const bytes = Buffer.allocUnsafe(units * 2);
  for (let index = 0; index < units; index++) {
    // Sign and mantissa at random, exponents of 2⁻⁸ to 2⁻⁵: weights of about 0.004 to 0.06, as in trained models.
    const exponent = 7 + Math.floor(random() * 4);
    const sign = random() < 0.5 ? 0x8000 : 0;
    bytes.writeUInt16LE(sign | (exponent << 10) | Math.floor(random() * 1024), index * 2);
  }
  return { bytes, unitBytes: 2 };
}

/** Blocks of one F16 scale and `unitBytes - 2` bytes of values. */
function randomBlocks(random: () => number, unitBytes: number, scale: number): WeightPool {
  const units = 262_147;
  const bytes = Buffer.allocUnsafe(units * unitBytes);
  for (let unit = 0; unit < units; unit++) {
    bytes.writeUInt16LE(scale, unit * unitBytes);
    for (let at = 2; at < unitBytes; at++) bytes[unit * unitBytes + at] = Math.floor(random() * 256);
  }
  return { bytes, unitBytes };
}

/** Scales that give weights of at most ±0.08: 2⁻¹¹ × 1.25 for values to ±127, 2⁻⁷ × 1.25 for values to ±8. */
const WEIGHT_POOLS: Readonly<Record<WeightType, (random: () => number) => WeightPool>> = {
  f16: randomF16,
  q8_0: (random) => randomBlocks(random, 34, 0x1100),
  q4_0: (random) => randomBlocks(random, 18, 0x2100),
};

function writeTensor(file: number, tensor: GgufTensor, pool: WeightPool, random: () => number): number {
  const bytes = tensorBytes(tensor);
  if (tensor.type === 'F32') {
    return writeSync(file, Buffer.from(new Float32Array(bytes / 4).fill(1).buffer));
  }
  let at = Math.floor(random() * (pool.bytes.length / pool.unitBytes)) * pool.unitBytes;
  for (let left = bytes; left > 0; ) {
    const written = writeSync(file, pool.bytes, at, Math.min(left, pool.bytes.length - at));
    left -= written;
    at = (at + written) % pool.bytes.length;
  }
  return bytes;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      shape: { type: 'string' },
      type: { type: 'string', default: 'f16' },
      vocab: { type: 'string', default: '32k' },
      tokenizer: { type: 'string', default: 'bpe' },
      seed: { type: 'string', default: '1' },
      'sliding-window': { type: 'string' },
      'separate-output': { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const { shape = '', type, vocab, tokenizer, out } = values;
  if (
    !isOneOf(shape, SHAPES) ||
    !isOneOf(type, FILE_TYPES) ||
    !isOneOf(vocab, VOCABULARIES) ||
    !isOneOf(tokenizer, { bpe: true, spm: true }) ||
    !out
  ) {
    console.error(
      `usage: node bench/make-model.ts --shape ${Object.keys(SHAPES).join('|')} --type ${Object.keys(FILE_TYPES).join('|')} ` +
        `--vocab ${Object.keys(VOCABULARIES).join('|')} [--tokenizer bpe|spm] [--seed N] [--separate-output] [--sliding-window N] --out FILE`,
    );
    process.exit(2);
  }
  const recipe: ModelRecipe = {
    shape,
    type,
    vocab,
    tokenizer,
    seed: Number(values.seed),
    separateOutput: values['separate-output'],
    ...(values['sliding-window'] === undefined ? {} : { slidingWindow: Number(values['sliding-window']) }),
  };
  console.log(`${out}: ${(makeModel(recipe, out) / 1e6).toFixed(1)} MB`);
}

function isOneOf<Keys extends string>(name: string, table: Readonly<Record<Keys, unknown>>): name is Keys {
  return Object.hasOwn(table, name);
}
