import type { MemoryView, ModelView } from '../../../shared/contract.ts';
import { formatBytes } from '../../../shared/units.ts';
import { MemoryBar } from '../../components/memory-bar.tsx';
import { layOutMemory } from '../../state/memory-layout.ts';

export interface MemorySummaryProps {
  readonly memory: MemoryView;
  readonly models: readonly ModelView[];
}

/** The memory in one line of numbers and one bar. */
export function MemorySummary({ memory, models }: MemorySummaryProps) {
  const layout = layOutMemory(memory, models);
  const overBytes = memory.reservedBytes - memory.budgetBytes;
  return (
    <section aria-labelledby="memory-heading">
      <div className="flex items-baseline justify-between gap-4">
        <h2 id="memory-heading" className="font-semibold">
          Memory
        </h2>
        <p className="text-mute">
          {formatBytes(layout.measuredBytes)} measured · {formatBytes(memory.reservedBytes)} reserved of{' '}
          {formatBytes(memory.budgetBytes)} ·{' '}
          {overBytes > 0 ? (
            <span className="font-medium text-bad">{formatBytes(overBytes)} over the budget</span>
          ) : (
            <span className="font-medium text-ink">{formatBytes(layout.freeBytes)} free</span>
          )}
        </p>
      </div>
      <MemoryBar layout={layout} />
    </section>
  );
}
