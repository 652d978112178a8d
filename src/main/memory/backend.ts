/** What an engine is on this machine, as far as its memory goes. */
export interface EngineTraits {
  readonly backend: 'cpu' | 'metal';
  /** Tensor types of which the CPU backend keeps a second, rearranged copy. Empty with Metal. */
  readonly repackedTypes: readonly string[];
  /** What a started engine holds before it has a model: measured on a standby. */
  readonly emptyBytes: number;
}

const MIB = 1024 ** 2;

/** `emptyBytes` until an engine was measured (`bench/estimate.ts` prints it; Linux x64, Node 24). */
export const EMPTY_ENGINE_BYTES = 31 * MIB;

const AVX2_TYPES = ['Q4_0', 'Q4_K', 'IQ4_NL', 'MXFP4'] as const;
const AMX_TYPES = ['Q4_0', 'Q4_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K', 'IQ4_XS'] as const;
const ARM_TYPES = ['Q1_0', 'Q4_0', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K', 'IQ4_NL', 'MXFP4'] as const;

/**
 * Types that llama.cpp's CPU backend rearranges for this processor (ggml-cpu/repack.cpp and amx/ of llama.cpp v0.5.0).
 * @param architecture as `process.arch` says it
 * @param cpuFlags as `/proc/cpuinfo` and systeminformation say them; ARM ones are taken to have `dotprod`, as all of
 *   Apple's have
 */
export function repackedTypes(architecture: string, cpuFlags: readonly string[]): readonly string[] {
  if (architecture === 'arm64') return ARM_TYPES;
  const flags = new Set(cpuFlags);
  const types = [
    ...(flags.has('avx2') ? AVX2_TYPES : []),
    ...(flags.has('avx512f') ? ['Q2_K'] : []),
    ...(flags.has('amx_int8') ? AMX_TYPES : []),
  ];
  return [...new Set(types)];
}
