import { formatMemory } from '../../state/format.ts';
import type { LiveEstimate } from '../../state/live-estimate.ts';

export interface EstimateBarProps {
  readonly live: LiveEstimate;
  /** Whether the prediction was corrected by measuring this model on this machine. */
  readonly learned: boolean;
}

/** What a model would take and of which parts, which move with the sliders. */
export function EstimateBar({ live, learned }: EstimateBarProps) {
  const { lines, totalBytes } = live;
  const share = (bytes: number) => `${(100 * bytes) / Math.max(1, totalBytes)}%`;
  const parts = [
    { label: 'weights', bytes: lines.weightsBytes, mix: 100 },
    { label: 'cache', bytes: lines.cacheBytes, mix: 62 },
    { label: 'buffers', bytes: lines.buffersBytes + lines.overheadBytes, mix: 32 },
  ];
  return (
    <div className="mt-4">
      <div className="flex items-baseline justify-between">
        <b>Needs {formatMemory(totalBytes)}</b>
        <span className="text-mute">{learned ? 'measured here before' : '± 10 % until measured'}</span>
      </div>
      <div aria-hidden className="my-2 flex h-3 overflow-hidden rounded-[5px] [contain:strict]">
        {parts.map((part) => (
          <span
            key={part.label}
            className="transition-[width] duration-200"
            style={{
              width: share(part.bytes),
              backgroundColor: `color-mix(in srgb, var(--model-3) ${part.mix}%, var(--card))`,
            }}
          />
        ))}
      </div>
      <ul className="flex flex-wrap gap-x-3 text-mute text-xs">
        {parts.map((part) => (
          <li key={part.label} className="flex items-center gap-1.5 whitespace-nowrap">
            <span
              aria-hidden
              className="size-2 rounded-[2px]"
              style={{ backgroundColor: `color-mix(in srgb, var(--model-3) ${part.mix}%, var(--card))` }}
            />
            {part.label} <span className="text-ink">{formatMemory(part.bytes)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
