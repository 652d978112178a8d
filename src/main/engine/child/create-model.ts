import { GgmlType, type GgufFileInfo, GgufInsights, type Llama, LlamaModel } from 'node-llama-cpp';
import type { EngineHeader } from '../protocol-estimate.ts';

export interface ModelOptions {
  readonly path: string;
  readonly header: EngineHeader;
  readonly gpuLayers: 'max' | number;
  readonly signal: AbortSignal;
  /** From 0 to 1. */
  readonly onProgress: (progress: number) => void;
}

/**
 * The model as `Llama.loadModel` makes it, less what the app has done before: reading the header (in JavaScript a tenth of
 * a second for a vocabulary of 128k, and tens of megabytes of texts that llama.cpp has as well) and estimating what it will
 * take. Of the header the library gets what its contexts look at.
 *
 * Source: `LlamaModel._create` of node-llama-cpp 3.22, which has no way to be given a header. The version is pinned;
 * `test/engine` loads models through this.
 * @throws whatever llama.cpp says; nothing stays allocated then
 */
export async function createModel(llama: Llama, options: ModelOptions): Promise<LlamaModel> {
  const { header, signal } = options;
  const fileInfo = fileInfoOf(header);
  const insights = await GgufInsights.from(fileInfo, llama);
  const { flashAttentionSupported } = insights;
  // The library's types hide what its own factory uses.
  const { _vramOrchestrator, _ramOrchestrator, supportsMmap } = llama as unknown as LlamaInternals;
  const Model = LlamaModel as unknown as ModelConstructor;
  const model = new Model(
    {
      modelPath: options.path,
      gpuLayers: layersOnGpu(llama, header, options.gpuLayers),
      useMmap: supportsMmap,
      useDirectIo: false,
      loadSignal: signal,
      onLoadProgress: options.onProgress,
    },
    {
      _llama: llama,
      _fileInfo: fileInfo,
      _fileInsights: insights,
      _flashAttentionSupported: flashAttentionSupported,
      _defaultContextFlashAttentionOptionEnabled: 'auto',
      _defaultContextFlashAttention: flashAttentionSupported ? 'auto' : false,
      _defaultContextSwaFullCache: false,
      _defaultContextKvCacheKeyType: GgmlType.F16,
      _defaultContextKvCacheValueType: GgmlType.F16,
      _loadPercentageShift: 0,
      _loadPercentageMultiplier: 1,
    },
  );
  const native = model._model;
  const abort = () => native.abortActiveModelLoad();
  signal.throwIfAborted();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const isLoaded = await native.init();
    if (signal.aborted && isLoaded) await model.dispose();
    signal.throwIfAborted();
    if (!isLoaded) throw new Error('Failed to load model');
  } finally {
    signal.removeEventListener('abort', abort);
  }
  const { cpuRam, gpuVram } = native.getMemoryBreakdown();
  model._ramConsumptionMarking = _ramOrchestrator.markAllocation(cpuRam);
  model._vramConsumptionMarking = _vramOrchestrator.markAllocation(gpuVram);
  return model;
}

function layersOnGpu(llama: Llama, header: EngineHeader, asked: 'max' | number): number {
  if (llama.gpu === false) return 0;
  // The output counts as a layer too.
  return asked === 'max' ? header.blockCount + 1 : asked;
}

/** What `GgufInsights` and contexts look at; the texts of the vocabulary are not among it. */
function fileInfoOf(header: EngineHeader): GgufFileInfo {
  const { architecture, slidingWindow, trainedContextSize } = header;
  const architectureMetadata = {
    vocab_size: header.vocabularySize,
    context_length: trainedContextSize ?? undefined,
    embedding_length: header.embeddingLength,
    block_count: header.blockCount,
    attention: {
      head_count: [...header.headCounts],
      key_length: header.keyLength,
      value_length: header.valueLength,
      sliding_window: slidingWindow ?? undefined,
    },
  };
  const info = {
    version: 3,
    tensorCount: 0,
    totalTensorCount: 0,
    metadata: { general: { architecture }, [architecture]: architectureMetadata },
    architectureMetadata,
    metadataSize: 0,
    totalMetadataSize: 0,
    tensorInfo: [],
    fullTensorInfo: [],
    tensorInfoSize: 0,
    totalTensorInfoSize: 0,
    splicedParts: 1,
    sourceData: [],
  };
  // Typed by the library for a whole header, of each architecture it knows.
  return info as unknown as GgufFileInfo;
}

interface LlamaInternals {
  readonly supportsMmap: boolean;
  readonly _ramOrchestrator: MemoryOrchestrator;
  readonly _vramOrchestrator: MemoryOrchestrator;
}

interface MemoryOrchestrator {
  markAllocation(bytes: number): object;
}

interface ModelInternals {
  readonly _model: {
    init(): Promise<boolean>;
    abortActiveModelLoad(): void;
    getMemoryBreakdown(): { readonly cpuRam: number; readonly gpuVram: number };
  };
  _ramConsumptionMarking: object;
  _vramConsumptionMarking: object;
}

type ModelConstructor = new (options: object, made: object) => LlamaModel & ModelInternals;
