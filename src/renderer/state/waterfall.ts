import type { UsageFigures } from '../../shared/usage-contract.ts';

/** What a request waited for: a slot, its model's load, its prompt being read, its first token; then the rest came. */
export type StageKind = 'queue' | 'load' | 'prefill' | 'first' | 'answer';

export interface Stage {
  readonly kind: StageKind;
  /** From arrival. */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Where the time of a request went, without gaps from arrival to its end. What a provider does not tell apart is all
 * one wait for the first token. A request that never had one ends with the stage that it was in.
 */
export function stagesOf(figures: UsageFigures): readonly Stage[] {
  const endMs = Math.max(0, figures.totalMs);
  const firstMs = figures.firstTokenMs === null ? endMs : Math.min(endMs, figures.firstTokenMs);
  const stages: Stage[] = [];
  let atMs = 0;
  const until = (kind: StageKind, toMs: number) => {
    if (toMs <= atMs) return;
    stages.push({ kind, fromMs: atMs, toMs });
    atMs = toMs;
  };
  until('queue', Math.min(firstMs, figures.queueMs ?? 0));
  until('load', Math.min(firstMs, atMs + (figures.loadMs ?? 0)));
  until('prefill', Math.min(firstMs, atMs + (figures.prefillMs ?? 0)));
  until('first', firstMs);
  if (figures.firstTokenMs !== null) until('answer', endMs);
  return stages;
}
