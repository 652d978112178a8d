import type { RateView } from '../../../shared/provider-contract.ts';
import { formatCount } from '../../state/format.ts';

export interface RateBarProps {
  /** `requests`, `tokens`. */
  readonly what: string;
  readonly rate: RateView;
}

/** From this share on the bar says that little is left. */
const NEARLY_FULL = 0.9;

/** How much of what is allowed in a minute is used. */
export function RateBar({ what, rate }: RateBarProps) {
  const share = Math.min(1, rate.used / Math.max(1, rate.limit));
  return (
    <div>
      <div className="flex justify-between gap-3">
        <span className="text-mute">{what} a minute</span>
        <span>
          {formatCount(rate.used)} <span className="text-mute">of {formatCount(rate.limit)}</span>
        </span>
      </div>
      <div aria-hidden className="mt-1 h-1 overflow-hidden rounded-full bg-line">
        <div
          className={`h-full origin-left rounded-full transition-transform duration-200 ${share >= NEARLY_FULL ? 'bg-busy' : 'bg-fill'}`}
          style={{ transform: `scaleX(${share})` }}
        />
      </div>
    </div>
  );
}
