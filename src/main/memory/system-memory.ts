const GIB = 1024 ** 3;

/** What the system has to give, as read at one moment. */
export interface SystemMemory {
  /** Free, and what the system would give up without swapping. */
  readonly availableBytes: number;
  /** What would be available besides if every engine ended. */
  readonly enginesBytes: number;
  /** What is left to the system and other programs at any admission. */
  readonly keptBytes: number;
}

/** A gibibyte; on machines of less than 8 GiB an eighth, or the smallest of them could load nothing at all. */
export function keptBytes(totalBytes: number): number {
  return Math.min(GIB, Math.floor(totalBytes / 8));
}

/**
 * How much all engines together may hold, going by what other programs leave. What engines take or give back between
 * two readings does not change it, for it moves from one of the two sums to the other: so a reading holds until others
 * change, idle engines count as memory that would come back, and a model that is loading counts once, by its line.
 */
export function engineRoomBytes({ availableBytes, enginesBytes, keptBytes }: SystemMemory): number {
  return availableBytes + enginesBytes - keptBytes;
}
