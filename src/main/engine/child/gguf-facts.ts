import { RoundhouseError } from '../../../shared/errors.ts';
import type { ModelHeader } from '../protocol-estimate.ts';
import { FILE_TYPE_LABELS } from './ggml-types.ts';
import { type Metadata, quoted } from './gguf-metadata.ts';
import type { TensorFacts } from './gguf-tensors.ts';

/** What `gguf-header.ts` does not know from the file system. */
export type HeaderFacts = Omit<ModelHeader, 'identity' | 'fileBytes' | 'shards' | 'tokenizer'>;

const LIMITS = { layers: 1024, count: 2 ** 31 - 1, shownText: 200 } as const;
const TOKEN_EMBEDDING = 'token_embd.weight';
const OUTPUT = 'output.weight';

/**
 * Architectures whose layers all keep one key and value per token in llama.cpp, and whose graphs are Llama's or narrower.
 * Some others do too: for them llama.cpp itself is asked, which is right as well and slower.
 */
const PLAIN_ARCHITECTURES = new Set([
  'llama',
  'qwen2',
  'qwen2moe',
  'qwen3',
  'qwen3moe',
  'gemma',
  'glm4',
  'granite',
  'granitemoe',
  'internlm2',
  'olmo',
  'olmoe',
  'smollm3',
  'stablelm',
  'starcoder2',
]);

/** Keys, after the architecture's name, by which even one of those would have other layers. */
const OTHER_MEMORY = [
  'attention.key_length_mla',
  'attention.sliding_window',
  'attention.shared_kv_layers',
  'attention.chunk_size',
  'attention.causal',
  'ssm.state_size',
  'nextn_predict_layers',
] as const;

/**
 * Makes facts of a model's metadata and tensors.
 * @throws RoundhouseError `gguf_invalid` when what every language model has is missing or absurd
 */
export function headerFacts(
  fileName: string,
  metadata: Metadata,
  tensors: readonly TensorFacts[],
): HeaderFacts {
  const read = new FactReader(fileName, metadata);
  const architecture = read.text('general.architecture');
  if (architecture === null || !/^[\w.-]{1,64}$/.test(architecture)) {
    throw read.invalid(
      `its general.architecture is ${architecture === null ? 'missing' : quoted(architecture)}`,
    );
  }
  const key = (name: string) => `${architecture}.${name}`;
  const blockCount = read.required(key('block_count'), LIMITS.layers);
  const embeddingLength = read.required(key('embedding_length'), LIMITS.count);
  const headCounts = read.perLayer(key('attention.head_count'), blockCount) ?? repeated(0, blockCount);
  const kvHeadCounts = read.perLayer(key('attention.head_count_kv'), blockCount) ?? headCounts;
  const heads = headCounts.find((count) => count > 0) ?? 0;
  const headLength = heads === 0 ? 0 : Math.floor(embeddingLength / heads);
  const embedding = tensors.find((tensor) => tensor.name === TOKEN_EMBEDDING) ?? null;
  const output = tensors.find((tensor) => tensor.name === OUTPUT) ?? null;
  const tensorBytesByType = bytesByType(tensors);
  const fileType = read.count('general.file_type', LIMITS.count);
  return {
    architecture,
    name: read.text('general.name')?.slice(0, LIMITS.shownText).trim() || null,
    quantization: label(fileType, tensorBytesByType),
    parameters: tensors.reduce((sum, tensor) => sum + tensor.elements, 0),
    trainedContextSize: read.count(key('context_length'), LIMITS.count),
    blockCount,
    embeddingLength,
    headCounts,
    kvHeadCounts,
    feedForwardLengths: read.perLayer(key('feed_forward_length'), blockCount) ?? repeated(0, blockCount),
    experts: experts(read, key),
    keyLength: read.count(key('attention.key_length'), LIMITS.count) ?? headLength,
    valueLength: read.count(key('attention.value_length'), LIMITS.count) ?? headLength,
    slidingWindow: read.count(key('attention.sliding_window'), LIMITS.count) || null,
    plainAttention:
      PLAIN_ARCHITECTURES.has(architecture) &&
      heads > 0 &&
      !OTHER_MEMORY.some((name) => metadata.has(key(name))),
    vocabulary: vocabulary(read, metadata, key('vocab_size'), embedding),
    tensorCount: tensors.length,
    tensorBytes: tensors.reduce((sum, tensor) => sum + tensor.bytes, 0),
    tensorBytesByType,
    matrixBytesByType: bytesByType(
      tensors.filter((tensor) => tensor.dimensions.length > 1 && tensor.name !== TOKEN_EMBEDDING),
    ),
    embeddingType: embedding?.type.name ?? null,
    embeddingBytes: embedding?.bytes ?? 0,
    outputType: output?.type.name ?? null,
  };
}

function experts(read: FactReader, key: (name: string) => string): HeaderFacts['experts'] {
  const used = read.count(key('expert_used_count'), LIMITS.count);
  if (!used) return null;
  return { used, feedForwardLength: read.count(key('expert_feed_forward_length'), LIMITS.count) ?? 0 };
}

function vocabulary(
  read: FactReader,
  metadata: Metadata,
  sizeKey: string,
  embedding: TensorFacts | null,
): HeaderFacts['vocabulary'] {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const merges = metadata.get('tokenizer.ggml.merges');
  const tokenCount = tokens?.kind === 'list' ? tokens.length : null;
  return {
    size: tokenCount ?? read.count(sizeKey, LIMITS.count) ?? embedding?.dimensions[1] ?? 0,
    tokenizer: read.text('tokenizer.ggml.model')?.slice(0, LIMITS.shownText) ?? null,
    textBytes: tokens?.kind === 'list' ? tokens.textBytes : 0,
    merges: merges?.kind === 'list' ? merges.length : 0,
    mergeTextBytes: merges?.kind === 'list' ? merges.textBytes : 0,
  };
}

function bytesByType(tensors: readonly TensorFacts[]): Record<string, number> {
  const bytes: Record<string, number> = {};
  for (const tensor of tensors) bytes[tensor.type.name] = (bytes[tensor.type.name] ?? 0) + tensor.bytes;
  return bytes;
}

function label(fileType: number | null, bytes: Readonly<Record<string, number>>): string {
  const dominant = Object.entries(bytes).sort(([, a], [, b]) => b - a)[0]?.[0];
  return FILE_TYPE_LABELS.get(fileType ?? -1) ?? dominant ?? 'unknown';
}

function repeated(value: number, times: number): number[] {
  return Array.from({ length: times }, () => value);
}

class FactReader {
  readonly #fileName: string;
  readonly #metadata: Metadata;

  constructor(fileName: string, metadata: Metadata) {
    this.#fileName = fileName;
    this.#metadata = metadata;
  }

  invalid(reason: string): RoundhouseError {
    return new RoundhouseError('gguf_invalid', `${this.#fileName} cannot be used: ${reason}.`);
  }

  text(key: string): string | null {
    const value = this.#metadata.get(key);
    return value?.kind === 'text' ? value.value : null;
  }

  /** `null` when absent. */
  count(key: string, limit: number): number | null {
    const value = this.#metadata.get(key);
    return value?.kind === 'number' ? this.#checked(key, value.value, limit) : null;
  }

  required(key: string, limit: number): number {
    const value = this.count(key, limit);
    if (value !== null && value > 0) return value;
    throw this.invalid(
      `it has no ${key}, so it is not a language model (an adapter or a projector, perhaps)`,
    );
  }

  /** One number for all layers, or a list with one each. */
  perLayer(key: string, layers: number): number[] | null {
    const value = this.#metadata.get(key);
    if (value?.kind === 'number') return repeated(this.#checked(key, value.value, LIMITS.count), layers);
    if (value?.kind !== 'list') return null;
    if (value.length !== layers || !value.values) {
      throw this.invalid(`its ${key} lists ${value.length} numbers for ${layers} layers`);
    }
    return value.values.map((item) => this.#checked(key, item, LIMITS.count));
  }

  #checked(key: string, value: number, limit: number): number {
    if (Number.isInteger(value) && value >= 0 && value <= limit) return value;
    throw this.invalid(`its ${key} is ${value}, not a whole number from 0 to ${limit.toLocaleString('en')}`);
  }
}
