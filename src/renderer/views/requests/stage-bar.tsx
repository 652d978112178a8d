import type { UsageFigures } from '../../../shared/usage-contract.ts';
import { formatLatency } from '../../state/format.ts';
import { stagesOf } from '../../state/waterfall.ts';
import { STAGES, stageLabel } from './stage-words.ts';

/** Where the time of one request went, in shares of the whole. */
export function StageBar({ figures }: { readonly figures: UsageFigures }) {
  const stages = stagesOf(figures);
  const total = Math.max(1, figures.totalMs);
  const words = stages.map(
    ({ kind, fromMs, toMs }) => `${stageLabel(kind, figures)} ${formatLatency(toMs - fromMs)}`,
  );
  return (
    <div
      role="img"
      aria-label={words.join(', ')}
      title={words.join(' · ')}
      className="flex h-2 overflow-hidden rounded-[3px] bg-line"
    >
      {stages.map(({ kind, fromMs, toMs }) => (
        <span
          key={kind}
          className="min-w-px"
          style={{ width: `${(100 * (toMs - fromMs)) / total}%`, background: STAGES[kind].colour }}
        />
      ))}
    </div>
  );
}
