import { type CostKeyLook, type DayColumn, OTHERS } from '../../state/cost-days.ts';
import { COST_KEY_WORDS, formatDay } from '../../state/describe-cost.ts';
import { formatShortDollars, PRICE_UNKNOWN } from '../../state/describe-request.ts';
import { plural } from '../../state/format.ts';
import { useCost } from '../../state/services.tsx';
import { costColour } from './cost-colour.ts';

const MOST_KEYS = 7;

export interface DayTipProps {
  readonly column: DayColumn;
  readonly costsBy: readonly CostKeyLook[];
  /** The middle of its column, as a share of the chart. */
  readonly at: number;
  readonly onActive: (day: string | null) => void;
}

/** What one day's column is made of. */
export function DayTip({ column, costsBy, at, onActive }: DayTipProps) {
  const by = useCost((state) => state.costsBy);
  const { none } = COST_KEY_WORDS[by];
  const { day, keys, nanoDollars, requests } = column;
  const rest = keys.length - MOST_KEYS;
  return (
    <div
      role="tooltip"
      onPointerEnter={() => onActive(day)}
      onPointerLeave={() => onActive(null)}
      className="absolute top-full z-10 -mt-2 w-60 animate-appear"
      style={{ left: `clamp(0px, calc(56px + ${at} * (100% - 56px) - 120px), calc(100% - 240px))` }}
    >
      <div className="rounded-lg border border-line bg-card px-3.5 py-2.5 shadow-(--shade-high)">
        <div className="flex items-baseline justify-between gap-3">
          <b className="truncate">{formatDay(day, 'long')}</b>
          <b>{formatShortDollars(nanoDollars)}</b>
        </div>
        <p className="text-mute">{plural(requests, 'request')}</p>
        <ul className="mt-1.5 flex flex-col gap-0.5">
          {keys.slice(0, MOST_KEYS).map(({ key, costNanoDollars }) => (
            <li key={key ?? ''} className="flex items-center gap-2">
              <span
                aria-hidden
                className="size-2 shrink-0 rounded-[2px]"
                style={{
                  background: costColour(costsBy.find((look) => look.key === key)?.colour ?? OTHERS),
                }}
              />
              <span className="min-w-0 flex-1 truncate">{key ?? none}</span>
              <span className={costNanoDollars === null ? 'text-mute text-sm' : ''}>
                {costNanoDollars === null ? PRICE_UNKNOWN : formatShortDollars(costNanoDollars)}
              </span>
            </li>
          ))}
          {rest > 0 ? <li className="pl-4 text-mute">and {rest} more</li> : null}
        </ul>
      </div>
    </div>
  );
}
