import type { LatencyStats, Percentiles } from '../../shared/usage-contract.ts';

/** What is measured of one request; `null` where it was not. */
export interface LatencySample {
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
  readonly completionTokens: number | null;
}

/** Gathers the requests of one group. */
export class LatencyGroup {
  #requests = 0;
  readonly #firstTokenMs: number[] = [];
  readonly #totalMs: number[] = [];
  readonly #tokensPerSecond: number[] = [];

  add(sample: LatencySample): void {
    this.#requests += 1;
    this.#totalMs.push(sample.totalMs);
    if (sample.firstTokenMs !== null) this.#firstTokenMs.push(sample.firstTokenMs);
    const speed = tokensPerSecond(sample);
    if (speed !== null) this.#tokensPerSecond.push(speed);
  }

  stats(): LatencyStats {
    return {
      requests: this.#requests,
      firstTokenMs: percentilesOf(this.#firstTokenMs),
      totalMs: percentilesOf(this.#totalMs),
      tokensPerSecond: reachedBy(this.#tokensPerSecond),
    };
  }
}

/** The first token comes out of reading the prompt; decoding makes the others. */
export function tokensPerSecond({ firstTokenMs, totalMs, completionTokens }: LatencySample): number | null {
  if (firstTokenMs === null || completionTokens === null || completionTokens < 2) return null;
  return totalMs <= firstTokenMs ? null : ((completionTokens - 1) / (totalMs - firstTokenMs)) * 1000;
}

/** The values that 50, 95 and 99 percent do not exceed, by the nearest rank. */
export function percentilesOf(values: readonly number[]): Percentiles | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  return { p50: atRank(sorted, 50), p95: atRank(sorted, 95), p99: atRank(sorted, 99) };
}

/** The values that 50, 95 and 99 percent reach or exceed. */
function reachedBy(values: readonly number[]): Percentiles | null {
  const below = percentilesOf(values.map((value) => -value));
  return below && { p50: -below.p50, p95: -below.p95, p99: -below.p99 };
}

function atRank(sorted: Float64Array, percent: number): number {
  // Whole numbers: 0.95 × length may lie just above the rank that is meant.
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? Number.NaN;
}
