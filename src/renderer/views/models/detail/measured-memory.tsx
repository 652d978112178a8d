import type { MemoryLinesView, ModelMemory } from '../../../../shared/contract.ts';
import { formatMemory } from '../../../state/format.ts';

const LINES: readonly (readonly [label: string, of: keyof MemoryLinesView])[] = [
  ['weights', 'weightsBytes'],
  ['cache', 'cacheBytes'],
  ['buffers', 'buffersBytes'],
  ['process', 'overheadBytes'],
];

/** What it was expected to hold, and what it does. */
export function MeasuredMemory({ memory }: { readonly memory: ModelMemory }) {
  const { predicted, measured, predictedBytes, measuredBytes } = memory;
  if (predictedBytes === null && measuredBytes === null) {
    return <p className="text-mute">Its file cannot be read, so that nothing is known of it.</p>;
  }
  return (
    <>
      <table className="w-full border-collapse text-right">
        <thead>
          <tr className="text-mute text-xs">
            <td />
            <th scope="col" className="pb-1 font-medium">
              predicted
            </th>
            <th scope="col" className="w-24 pb-1 font-medium">
              measured
            </th>
          </tr>
        </thead>
        <tbody>
          {LINES.map(([label, of]) => (
            <tr key={label}>
              <th scope="row" className="py-0.5 text-left font-normal text-mute">
                {label}
              </th>
              <td>{formatMemory(predicted?.[of] ?? null)}</td>
              <td>{formatMemory(measured?.[of] ?? null)}</td>
            </tr>
          ))}
          <tr className="font-semibold">
            <th scope="row" className="py-0.5 text-left font-semibold">
              total
            </th>
            <td>{formatMemory(predictedBytes)}</td>
            <td>{formatMemory(measuredBytes)}</td>
          </tr>
        </tbody>
      </table>
      <p className="mt-1 text-mute text-sm">{describeError(predictedBytes, measuredBytes)}</p>
    </>
  );
}

function describeError(predictedBytes: number | null, measuredBytes: number | null): string {
  if (measuredBytes === null) return 'It is measured while it is loaded.';
  if (predictedBytes === null) return 'It was loaded before it could be predicted.';
  const percent = (100 * (measuredBytes - predictedBytes)) / Math.max(1, predictedBytes);
  if (Math.abs(percent) < 0.1) return 'As predicted.';
  return `${Math.abs(percent).toFixed(1)} % ${percent > 0 ? 'more' : 'less'} than predicted.`;
}
