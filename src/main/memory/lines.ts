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

export function totalBytes(lines: MemoryLines): number {
  return lines.weightsBytes + lines.cacheBytes + lines.buffersBytes + lines.overheadBytes;
}
