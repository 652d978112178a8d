import type { EngineSettings } from '../config/settings.ts';
import type { ModelHeader } from '../engine/protocol-estimate.ts';
import { type MemoryLines, totalBytes } from './lines.ts';

/*
 * Predicts an engine's memory from the header of its model and the settings it will be loaded with. Pure arithmetic:
 * the interface's slider asks it at every move.
 */

export type Backend = 'cpu' | 'metal';

/** The settings that memory depends on. */
export type LoadSettings = Pick<
  EngineSettings,
  'contextSize' | 'parallel' | 'batchSize' | 'cacheType' | 'flashAttention'
>;

/** Bytes = `baseBytes` + `bytesPerContextToken` × context size of one slot. */
export interface ContextLine {
  readonly baseBytes: number;
  readonly bytesPerContextToken: number;
}

const MIB = 1024 ** 2;
/** An engine process with its backend and no model (`bench/estimate.ts` measures it). */
export const EMPTY_ENGINE_BYTES = 42 * MIB;
/** llama.cpp rounds the context of a slot up to this. */
const CONTEXT_STEP = 256;
const CACHE_BYTES_PER_ELEMENT: Readonly<Record<EngineSettings['cacheType'], number>> = {
  f16: 2,
  q8_0: 34 / 32,
  q4_0: 18 / 32,
};
const FLOAT_BYTES = 4;
/** Context sizes between which the total is taken as straight. */
const LINE_PROBES = [1024, 8192] as const;

/** Tokens one slot really holds: never more than the model was trained for, in llama.cpp's steps. */
export function effectiveContextSize(header: ModelHeader, contextSize: number): number {
  const wanted = Math.min(contextSize, header.trainedContextSize ?? contextSize);
  return Math.ceil(wanted / CONTEXT_STEP) * CONTEXT_STEP;
}

export function predictLines(header: ModelHeader, settings: LoadSettings, backend: Backend): MemoryLines {
  return {
    weightsBytes: weightsBytes(header, backend),
    cacheBytes: cacheBytes(header, settings),
    buffersBytes: buffersBytes(header, settings),
    overheadBytes: overheadBytes(header),
  };
}

function weightsBytes(header: ModelHeader, backend: Backend): number {
  return header.tensorBytes + (backend === 'cpu' ? repackedBytes(header) : 0);
}

/** The CPU backend keeps a second, rearranged copy of matrices of these types. */
function repackedBytes(header: ModelHeader): number {
  const repacked = ['Q4_0', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K', 'Q2_K', 'IQ4_NL', 'MXFP4'];
  const tied = header.outputType === null && repacked.includes(header.embeddingType ?? '');
  const matrices = repacked.reduce((sum, type) => sum + (header.matrixBytesByType[type] ?? 0), 0);
  return matrices + (tied ? header.embeddingBytes : 0);
}

function cacheBytes(header: ModelHeader, settings: LoadSettings): number {
  const width = header.keyLength + header.valueLength;
  const elements = header.kvHeadCounts.reduce((sum, heads) => sum + heads * width, 0);
  const tokens = settings.parallel * effectiveContextSize(header, settings.contextSize);
  return tokens * elements * CACHE_BYTES_PER_ELEMENT[settings.cacheType];
}

function buffersBytes(header: ModelHeader, settings: LoadSettings): number {
  const widest = Math.max(...header.feedForwardLengths, header.embeddingLength);
  return (
    settings.batchSize * (2 * widest + 4 * header.embeddingLength) * FLOAT_BYTES +
    header.vocabulary.size * FLOAT_BYTES
  );
}

function overheadBytes(header: ModelHeader): number {
  const { size, merges, textBytes, mergeTextBytes } = header.vocabulary;
  return EMPTY_ENGINE_BYTES + 300 * size + 200 * merges + 4 * (textBytes + mergeTextBytes);
}

/**
 * The total as a straight line over the context size of one slot, all other settings as they are. Beyond the context
 * that the model was trained for, nothing more is allocated: there the line is too high.
 */
export function contextLine(header: ModelHeader, settings: LoadSettings, backend: Backend): ContextLine {
  const unbounded = { ...header, trainedContextSize: null };
  const at = (contextSize: number) =>
    totalBytes(predictLines(unbounded, { ...settings, contextSize }, backend));
  const [small, large] = LINE_PROBES;
  const bytesPerContextToken = (at(large) - at(small)) / (large - small);
  return { baseBytes: at(small) - bytesPerContextToken * small, bytesPerContextToken };
}
