/** What one engine's memory is made of. The names of its parts are what the ledger and the interface show. */
export interface MemoryLines {
  /** The model's tensors, mapped from its file or copied. */
  readonly weightsBytes: number;
  /** Keys and values (or recurrent state) of all slots. */
  readonly cacheBytes: number;
  /** What computing one batch needs. */
  readonly buffersBytes: number;
  /** The process itself, with the vocabulary's tables. */
  readonly overheadBytes: number;
}

/** llama.cpp's own buffer sizes: what it set aside, touched or not. */
export interface SaidBytes {
  readonly weightsBytes: number;
  /** Cache and compute buffers together. */
  readonly contextBytes: number;
}

/**
 * Splits what the system says an engine holds. The process and the weights are held whole; what is left is cache and buffers, in
 * proportion, of the buffers no more than was predicted to be touched: llama.cpp sets aside logits for every token of a batch.
 * @returns lines whose sum is `measuredBytes`
 */
export function measuredLines(measuredBytes: number, said: SaidBytes, predicted: MemoryLines): MemoryLines {
  const processBytes = Math.min(predicted.overheadBytes, measuredBytes);
  const weightsBytes = Math.min(said.weightsBytes, measuredBytes - processBytes);
  const leftBytes = measuredBytes - processBytes - weightsBytes;
  const cacheBytes = Math.min(predicted.cacheBytes, said.contextBytes);
  const buffersBytes = Math.min(predicted.buffersBytes, said.contextBytes - cacheBytes);
  const share = Math.min(1, leftBytes / Math.max(1, cacheBytes + buffersBytes));
  const held = { cacheBytes: cacheBytes * share, buffersBytes: buffersBytes * share };
  return {
    weightsBytes,
    ...held,
    overheadBytes: measuredBytes - weightsBytes - held.cacheBytes - held.buffersBytes,
  };
}

export function totalBytes(lines: MemoryLines): number {
  return lines.weightsBytes + lines.cacheBytes + lines.buffersBytes + lines.overheadBytes;
}
