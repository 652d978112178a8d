import type { ModelView } from '../../shared/contract.ts';
import type { LatencyRow, Percentiles } from '../../shared/usage-contract.ts';

/** A measured p95 beside what is asked for; `null` where there is none. */
export interface Held {
  readonly measured: number | null;
  readonly target: number | null;
  /** `null` while one of them is missing. */
  readonly met: boolean | null;
}

/** Of requests that found the model there; where none did, of those that waited for its load. */
export function firstTokenHeld(model: ModelView, row: LatencyRow | undefined): Held {
  const measured = p95(row?.warm.firstTokenMs) ?? p95(row?.cold.firstTokenMs);
  const target = model.latencyTarget.firstTokenMs;
  return { measured, target, met: measured === null || target === null ? null : measured <= target };
}

/** The speed that 95 of 100 requests reached, beside what is asked for. */
export function speedHeld(model: ModelView, row: LatencyRow | undefined): Held {
  const measured = p95(row?.warm.tokensPerSecond) ?? p95(row?.cold.tokensPerSecond);
  const target = model.latencyTarget.tokensPerSecond;
  return { measured, target, met: measured === null || target === null ? null : measured >= target };
}

function p95(percentiles: Percentiles | null | undefined): number | null {
  return percentiles?.p95 ?? null;
}
