import { GgmlType, GgufInsights, getLlama, LlamaLogLevel, readGgufFileInfo } from 'node-llama-cpp';
import type { LoadSettings } from '../protocol-estimate.ts';

const CACHE_TYPES = { f16: GgmlType.F16, q8_0: GgmlType.Q8_0, q4_0: GgmlType.Q4_0 } as const;

/**
 * What llama.cpp would set aside for each of these contexts, cache and buffers together, in bytes. It makes the model
 * and the contexts without allocating, so it knows each architecture as no arithmetic of ours could.
 * @returns `null` when llama.cpp cannot make the model; loading it will say why
 */
export async function contextBytes(
  file: string,
  contexts: readonly LoadSettings[],
): Promise<number[] | null> {
  const llama = await getLlama({
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.disabled,
    maxThreads: 1,
  });
  try {
    const insights = await GgufInsights.from(await readGgufFileInfo(file), llama);
    const bytes: number[] = [];
    for (const { contextSize, parallel, batchSize, cacheType, flashAttention } of contexts) {
      const { cpuRam, gpuVram } = await insights.estimateContextResourceRequirementsV2({
        contextSize,
        sequences: parallel,
        batchSize,
        flashAttention,
        modelGpuLayers: llama.gpu === false ? 0 : insights.totalLayers,
        kvCacheKeyType: CACHE_TYPES[cacheType],
        kvCacheValueType: CACHE_TYPES[cacheType],
      });
      bytes.push(cpuRam + gpuVram);
    }
    return bytes;
  } catch {
    return null;
  }
}
