import type { MemoryView } from './contract.ts';
import { formatBytes } from './units.ts';

export interface MemoryWarning {
  /** `bad`: requests may have to wait for it. */
  readonly tone: 'busy' | 'bad';
  /** What it is, in a few words. */
  readonly title: string;
  /** With the numbers, and what happens about it. */
  readonly text: string;
}

/** What people should know of the memory as it is now; empty when all is well. */
export function memoryWarnings(memory: MemoryView): readonly MemoryWarning[] {
  const { pressure, overrunBytes, budgetBytes, availableBytes } = memory;
  const warnings: MemoryWarning[] = [];
  const available = availableBytes === null ? '' : `${formatBytes(availableBytes)} available. `;
  if (pressure === 'critical') {
    warnings.push({
      tone: 'bad',
      title: 'Critical memory pressure',
      text: `${available}Every idle model is unloaded; busy and pinned ones stay. Close other programs.`,
    });
  } else if (pressure === 'warn') {
    warnings.push({
      tone: 'busy',
      title: 'Memory pressure',
      text: `${available}Idle models are unloaded one by one, and none is loaded before it is needed.`,
    });
  }
  if (overrunBytes > 0) {
    warnings.push({
      tone: 'bad',
      title: 'Over the budget',
      text: `Engines hold ${formatBytes(overrunBytes)} more than ${formatBytes(budgetBytes)}. Nothing is loaded until idle models have gone and busy ones have finished.`,
    });
  }
  return warnings;
}
