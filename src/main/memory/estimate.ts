import type { EngineSettings } from '../config/settings.ts';
import type { LoadSettings, ModelHeader } from '../engine/protocol-estimate.ts';
import type { EngineTraits } from './backend.ts';
import { type MemoryLines, totalBytes } from './lines.ts';

/*
 * Predicts an engine's memory from the header of its model and the settings it will be loaded with. Pure arithmetic, so
 * the interface's slider can ask it at every move. docs/decisions/0003 says where the figures come from, and
 * bench/estimate.ts holds them against what the system says.
 */

/** Bytes = `baseBytes` + `bytesPerContextToken` × context size of one slot. */
export interface ContextLine {
  readonly baseBytes: number;
  readonly bytesPerContextToken: number;
}

const MIB = 1024 ** 2;
const F32_BYTES = 4;
const F16_BYTES = 2;
/** llama.cpp rounds the context of a slot, and the part of it that a batch looks at, up to this. */
export const CONTEXT_STEP = 256;
/** Context sizes between which the total is taken as straight. */
const LINE_PROBES = [1024, 8192] as const;
const CACHE_BYTES_PER_ELEMENT: Readonly<Record<EngineSettings['cacheType'], number>> = {
  f16: F16_BYTES,
  q8_0: 34 / 32,
  q4_0: 18 / 32,
};

/*
 * Measured, not derived: what a model costs beyond its tensors, cache and buffers. llama.cpp's tables, the
 * template, JavaScript's garbage.
 */
const LOADED_MODEL_BYTES = 5 * MIB;
/** Of tokens and merges alike. */
const BYTES_PER_VOCABULARY_ENTRY = 135;
/** A sampler's candidates, twice, and the logits: per token of the vocabulary and slot. */
const SAMPLING_BYTES_PER_TOKEN = 27;

/** Tokens one slot really holds: never more than the model was trained for, in llama.cpp's steps. */
export function effectiveContextSize(header: ModelHeader, contextSize: number): number {
  return stepped(Math.min(contextSize, header.trainedContextSize ?? contextSize));
}

/** What is known beyond the header. */
export interface Known {
  /**
   * The most tokens that any slot has held. Buffers grow with it; left out, the context is taken to be full, which is
   * what has to be reserved.
   */
  readonly deepestTokens?: number;
  /** llama.cpp's own figure for a context of these settings, cache and buffers together. */
  readonly contextBytes?: number;
}

export function predictLines(
  header: ModelHeader,
  settings: LoadSettings,
  engine: EngineTraits,
  known: Known = {},
): MemoryLines {
  const contextTokens = effectiveContextSize(header, settings.contextSize);
  const seenTokens = Math.min(contextTokens, stepped(known.deepestTokens ?? contextTokens));
  return {
    weightsBytes: header.tensorBytes + repackedBytes(header, engine),
    cacheBytes:
      known.contextBytes === undefined
        ? Math.ceil(settings.parallel * contextTokens * cacheBytesPerToken(header, settings.cacheType))
        : Math.max(0, known.contextBytes - reservedBufferBytes(header, settings, contextTokens)),
    buffersBytes:
      settings.batchSize * bufferBytesPerRow(header, settings, seenTokens) +
      settings.parallel * header.vocabulary.size * SAMPLING_BYTES_PER_TOKEN,
    overheadBytes:
      engine.emptyBytes +
      LOADED_MODEL_BYTES +
      (header.vocabulary.size + header.vocabulary.merges) * BYTES_PER_VOCABULARY_ENTRY,
  };
}

/**
 * The total as a straight line over the context size of one slot, all other settings as they are. Beyond the context
 * that the model was trained for nothing more is allocated: there the line is too high.
 */
export function contextLine(header: ModelHeader, settings: LoadSettings, engine: EngineTraits): ContextLine {
  const unbounded = { ...header, trainedContextSize: null };
  const at = (contextSize: number) =>
    totalBytes(predictLines(unbounded, { ...settings, contextSize }, engine));
  const [small, large] = LINE_PROBES;
  const bytesPerContextToken = (at(large) - at(small)) / (large - small);
  return { baseBytes: at(small) - bytesPerContextToken * small, bytesPerContextToken };
}

/** The rearranged copy stands beside the mapped file, whose pages stay. An output tied to the embedding is copied too. */
function repackedBytes(header: ModelHeader, engine: EngineTraits): number {
  const tied = header.outputType === null && engine.repackedTypes.includes(header.embeddingType ?? '');
  const matrices = engine.repackedTypes.reduce((sum, type) => sum + (header.matrixBytesByType[type] ?? 0), 0);
  return matrices + (tied ? header.embeddingBytes : 0);
}

function cacheBytesPerToken(header: ModelHeader, cacheType: EngineSettings['cacheType']): number {
  const heads = header.kvHeadCounts.reduce((sum, count) => sum + count, 0);
  return heads * (header.keyLength + header.valueLength) * CACHE_BYTES_PER_ELEMENT[cacheType];
}

/**
 * What one token of a batch needs at the widest point of the graph: the residual stream and a feed-forward layer, or
 * without flash attention the scores; and its row of the attention mask.
 */
function bufferBytesPerRow(header: ModelHeader, settings: LoadSettings, seenTokens: number): number {
  const { embeddingLength, experts, headCounts } = header;
  const feedForward = experts
    ? experts.used * (3 * experts.feedForwardLength + embeddingLength)
    : 3 * Math.max(...header.feedForwardLengths);
  const widest = (4 * embeddingLength + feedForward) * F32_BYTES;
  if (settings.flashAttention !== false) return widest + seenTokens * F16_BYTES;
  const scores = (Math.max(...headCounts) * seenTokens + 6 * embeddingLength) * F32_BYTES;
  return Math.max(widest, scores) + seenTokens * F32_BYTES;
}

/**
 * What llama.cpp sets aside for computing. More than is ever touched: it counts on logits for every token of a batch,
 * and they are asked for the last one of each slot only.
 */
function reservedBufferBytes(header: ModelHeader, settings: LoadSettings, contextTokens: number): number {
  const logits = (header.vocabulary.size + 4 * header.embeddingLength) * F32_BYTES;
  const widest = bufferBytesPerRow(header, settings, contextTokens);
  return settings.batchSize * Math.max(widest, logits + contextTokens * F16_BYTES);
}

function stepped(tokens: number): number {
  return Math.ceil(tokens / CONTEXT_STEP) * CONTEXT_STEP;
}
