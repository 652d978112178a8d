import { memo } from 'react';
import { formatSpeed } from '../../state/format.ts';
import { useSpeed } from '../../state/services.tsx';
import { sparkPoints } from '../../state/spark-line.ts';
import { SAMPLES } from '../../state/speed-history.ts';

const BOX = { width: 120, height: 28 };
const NONE: readonly number[] = [];

export interface SparkLineProps {
  readonly id: string;
  readonly colour: string;
  /** What stands there while there is no line to draw. */
  readonly otherwise: string;
}

/** Tokens per second over the last minute, as far as this page has seen it. */
export const SparkLine = memo(function SparkLine({ id, colour, otherwise }: SparkLineProps) {
  const samples = useSpeed((state) => state.samples[id] ?? NONE);
  if (samples.length < 2 || samples.every((sample) => sample === 0)) {
    return <div className="flex h-7 items-end border-line border-b pb-1 text-mute text-xs">{otherwise}</div>;
  }
  const points = sparkPoints(samples, SAMPLES, BOX);
  const left = points.slice(0, points.indexOf(','));
  return (
    <svg
      role="img"
      aria-label={`Speed over the last minute, at most ${formatSpeed(Math.max(...samples))}`}
      viewBox={`0 0 ${BOX.width} ${BOX.height}`}
      preserveAspectRatio="none"
      className="h-7 w-full overflow-visible"
    >
      <polygon
        points={`${left},${BOX.height} ${points} ${BOX.width},${BOX.height}`}
        style={{ fill: colour, opacity: 0.12 }}
      />
      <polyline
        points={points}
        style={{ stroke: colour }}
        className="fill-none stroke-[1.6] [stroke-linejoin:round]"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
});
