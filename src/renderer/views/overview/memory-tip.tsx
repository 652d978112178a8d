import type { MemoryLinesView, MemoryView, ModelView } from '../../../shared/contract.ts';
import { modelColour } from '../../components/model-colour.ts';
import { describeState } from '../../state/describe-model.ts';
import { formatMemory } from '../../state/format.ts';
import type { Segment } from '../../state/memory-layout.ts';
import { MEMORY_TIP } from './memory-segment.tsx';

const LINES: readonly (readonly [label: string, line: keyof MemoryLinesView])[] = [
  ['weights', 'weightsBytes'],
  ['cache', 'cacheBytes'],
  ['buffers', 'buffersBytes'],
  ['process', 'overheadBytes'],
];

export interface MemoryTipProps {
  readonly segment: Segment;
  readonly model: ModelView | null;
  readonly memory: MemoryView;
  readonly onActive: (id: string | null) => void;
}

/** What a segment of the bar is made of. Stays while the pointer is on it, and goes with Escape. */
export function MemoryTip({ segment, model, memory, onActive }: MemoryTipProps) {
  const middle = (segment.start + segment.share / 2) * 100;
  return (
    <div
      id={MEMORY_TIP}
      role="tooltip"
      onPointerEnter={() => onActive(segment.id)}
      onPointerLeave={() => onActive(null)}
      className="-mt-7 absolute top-full z-10 w-66 animate-appear pt-1.5"
      style={{ left: `clamp(0px, calc(${middle}% - 132px), calc(100% - 264px))` }}
    >
      <div className="rounded-lg border border-line bg-card px-3.5 py-2.5 shadow-(--shade-high)">
        {model === null ? (
          <Plain segment={segment} memory={memory} />
        ) : (
          <ModelLines model={model} colour={modelColour(segment.model ?? 0)} />
        )}
      </div>
    </div>
  );
}

function ModelLines({ model, colour }: { readonly model: ModelView; readonly colour: string }) {
  const { predicted, measured, predictedBytes, measuredBytes } = model.memory;
  const cell = 'py-0.5 pl-3 text-right whitespace-nowrap';
  return (
    <>
      <div className="flex items-baseline gap-2">
        <span aria-hidden className="size-2.5 shrink-0 rounded-[3px]" style={{ background: colour }} />
        <b className="truncate">{model.id}</b>
        <span className="ml-auto shrink-0 text-mute">{describeState(model).text}</span>
      </div>
      <table className="mt-1.5 w-full">
        <thead>
          <tr className="text-mute text-xs">
            <td />
            <th scope="col" className={`${cell} font-medium`}>
              predicted
            </th>
            <th scope="col" className={`${cell} font-medium`}>
              measured
            </th>
          </tr>
        </thead>
        <tbody>
          {predicted === null && measured === null
            ? null
            : LINES.map(([label, line]) => (
                <tr key={line}>
                  <th scope="row" className="text-left font-normal text-mute">
                    {label}
                  </th>
                  <td className={`${cell} text-mute`}>{formatMemory(predicted?.[line] ?? null)}</td>
                  <td className={cell}>{formatMemory(measured?.[line] ?? null)}</td>
                </tr>
              ))}
          <tr className="border-line border-t font-semibold">
            <th scope="row" className="text-left font-semibold">
              total
            </th>
            <td className={cell}>{formatMemory(predictedBytes)}</td>
            <td className={cell}>{formatMemory(measuredBytes)}</td>
          </tr>
        </tbody>
      </table>
    </>
  );
}

function Plain({ segment, memory }: { readonly segment: Segment; readonly memory: MemoryView }) {
  return (
    <>
      <div className="flex items-baseline gap-2">
        <b>{segment.label}</b>
        <span className="ml-auto">{formatMemory(segment.bytes)}</span>
      </div>
      <p className="mt-0.5 text-mute">{wordsOf(segment, memory)}</p>
    </>
  );
}

function wordsOf(segment: Segment, memory: MemoryView): string {
  switch (segment.kind) {
    case 'other':
      return `Held by the system and other programs, of ${formatMemory(memory.totalBytes)}.`;
    case 'standby':
      return 'An engine process that is started and holds no model, so that the next load is quick.';
    default:
      return 'Promised to engines beyond what was measured: what they may still grow by.';
  }
}
