import type { MemoryView, ModelView } from '../../shared/contract.ts';
import { isResident } from './describe-model.ts';

export type SegmentKind = 'other' | 'model' | 'predicted' | 'standby' | 'reserved';

/** A stretch of the memory bar. `colour` is the model's place in the palette. */
export interface Segment {
  readonly key: string;
  readonly kind: SegmentKind;
  readonly label: string;
  readonly bytes: number;
  readonly colour: number | null;
}

export interface MemoryLayout {
  /** From the left; what is missing to `totalBytes` is free. */
  readonly segments: readonly Segment[];
  readonly totalBytes: number;
  readonly budgetBytes: number;
  /** Where engines must stop, as bytes from the left: the budget begins where other programs end. */
  readonly limitBytes: number;
  /** What can still be promised: of the budget, and of what other programs leave. */
  readonly freeBytes: number;
  readonly measuredBytes: number;
}

/** The whole of the memory as a bar to scale, without its pixels. */
export function layOutMemory(memory: MemoryView, models: readonly ModelView[]): MemoryLayout {
  const held = models.flatMap((model, index): Segment[] => {
    if (!isResident(model)) return [];
    const measured = model.memory.measuredBytes;
    const bytes = measured ?? model.memory.predictedBytes ?? 0;
    const kind = measured === null ? 'predicted' : 'model';
    return [{ key: `model:${model.id}`, kind, label: model.id, bytes, colour: index }];
  });
  const heldBytes = sum(held.map((segment) => segment.bytes));
  const marginBytes = Math.max(0, memory.reservedBytes - memory.standbyBytes - heldBytes);
  const all: readonly Segment[] = [
    { key: 'other', kind: 'other', label: 'System', bytes: memory.otherBytes, colour: null },
    ...held,
    { key: 'standby', kind: 'standby', label: 'Standby', bytes: memory.standbyBytes, colour: null },
    { key: 'reserved', kind: 'reserved', label: 'Margin', bytes: marginBytes, colour: null },
  ];
  return {
    segments: all.filter((segment) => segment.bytes > 0),
    totalBytes: memory.totalBytes,
    budgetBytes: memory.budgetBytes,
    limitBytes: Math.min(memory.totalBytes, memory.otherBytes + memory.budgetBytes),
    freeBytes: Math.max(
      0,
      Math.min(memory.budgetBytes, memory.totalBytes - memory.otherBytes) - memory.reservedBytes,
    ),
    measuredBytes: sum(models.filter(isResident).map((model) => model.memory.measuredBytes ?? 0)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
