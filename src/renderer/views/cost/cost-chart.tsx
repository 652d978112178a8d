import { memo, useMemo, useState } from 'react';
import { formatDollars } from '../../../shared/money.ts';
import type { CostsView } from '../../../shared/usage-contract.ts';
import { moveFocus } from '../../components/move-focus.ts';
import { type DayColumn, layOutDays } from '../../state/cost-days.ts';
import { formatDay } from '../../state/describe-cost.ts';
import { formatShortDollars } from '../../state/describe-request.ts';
import { plural } from '../../state/format.ts';
import { costColour } from './cost-colour.ts';
import { DayTip } from './day-tip.tsx';

/** A name below every so many columns. */
const NAMED_DAYS = 8;

/** What was spent each day, each column split by what is shown. */
export const CostChart = memo(function CostChart({ costs }: { readonly costs: CostsView }) {
  const chart = useMemo(() => layOutDays(costs), [costs]);
  const [active, setActive] = useState<string | null>(null);
  const { columns, topNanoDollars } = chart;
  const activeAt = columns.findIndex((column) => column.day === active);
  const shown = columns[activeAt];
  const share = (nanoDollars: number) => `${(100 * nanoDollars) / topNanoDollars}%`;
  const every = Math.max(1, Math.ceil(columns.length / NAMED_DAYS));
  const free = columns.every((column) => column.nanoDollars === 0);
  return (
    <div className="@container relative mt-4 pl-14">
      <div aria-hidden className="pointer-events-none absolute inset-x-0 top-0 h-44">
        {chart.ticks.map((tick) => (
          <div
            key={tick}
            className="absolute right-0 left-14 border-line border-t"
            style={{ bottom: share(tick) }}
          >
            <span className="-translate-y-1/2 absolute right-full whitespace-nowrap pr-2 text-mute text-xs">
              {tick === 0 ? '$0' : formatDollars(tick)}
            </span>
          </div>
        ))}
      </div>
      {free ? (
        <p className="absolute inset-x-14 top-17 text-center text-mute">
          All of it ran here, or has no known price: nothing to draw.
        </p>
      ) : null}
      <div role="toolbar" aria-label="Cost by day" onKeyDown={moveFocus} className="relative flex h-44">
        {columns.map((column, index) => (
          <Column
            key={column.day}
            column={column}
            topNanoDollars={topNanoDollars}
            // Where the Tab key comes in: the day that is looked at, else today.
            tabStop={index === (activeAt === -1 ? columns.length - 1 : activeAt)}
            onActive={setActive}
          />
        ))}
      </div>
      <div aria-hidden className="relative mt-1.5 h-4 text-mute text-xs">
        {columns.map((column, index) =>
          (columns.length - 1 - index) % every === 0 ? (
            <span
              key={column.day}
              className={`-translate-x-1/2 absolute whitespace-nowrap ${(columns.length - 1 - index) % (2 * every) === 0 ? '' : '@max-[560px]:hidden'}`}
              style={{ left: `min(${(100 * (index + 0.5)) / columns.length}%, 100% - 20px)` }}
            >
              {formatDay(column.day, 'short')}
            </span>
          ) : null,
        )}
      </div>
      {columns.some((column) => column.unpriced > 0) ? (
        <p className="mt-1 flex items-center justify-end gap-1.5 text-mute text-xs">
          <span aria-hidden className="h-1.5 w-3 rounded-[2px] border border-edge hatched-fine" />
          and answers whose price is not known
        </p>
      ) : null}
      {shown === undefined ? null : (
        <DayTip
          column={shown}
          costsBy={chart.colours}
          at={(activeAt + 0.5) / columns.length}
          onActive={setActive}
        />
      )}
    </div>
  );
});

interface ColumnProps {
  readonly column: DayColumn;
  readonly topNanoDollars: number;
  readonly tabStop: boolean;
  readonly onActive: (day: string | null) => void;
}

const Column = memo(function Column({ column, topNanoDollars, tabStop, onActive }: ColumnProps) {
  const { day, nanoDollars, parts, requests, unpriced } = column;
  const missing = unpriced === 0 ? '' : `, and ${plural(unpriced, 'answer')} whose price is not known`;
  return (
    <button
      type="button"
      aria-label={`${formatDay(day, 'long')}: ${formatShortDollars(nanoDollars)}${missing}, ${plural(requests, 'request')}`}
      tabIndex={tabStop ? 0 : -1}
      onPointerEnter={() => onActive(day)}
      onPointerLeave={() => onActive(null)}
      onFocus={() => onActive(day)}
      onBlur={() => onActive(null)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onActive(null);
      }}
      className="h-full min-w-0 flex-1 hover:bg-ink/4 focus-visible:bg-ink/4 focus-visible:-outline-offset-2"
    >
      <span className="mx-auto flex h-full w-[74%] max-w-9 flex-col justify-end">
        {unpriced > 0 ? (
          <span className="mb-px block h-1.5 shrink-0 rounded-t-[3px] border border-edge hatched-fine" />
        ) : null}
        <span
          className={`flex flex-col-reverse overflow-hidden ${unpriced > 0 ? '' : 'rounded-t-[3px]'}`}
          style={{ height: `${(100 * nanoDollars) / topNanoDollars}%` }}
        >
          {parts.map((part) => (
            <span
              key={part.colour}
              className="block min-h-px shrink-0"
              style={{
                height: `${(100 * part.nanoDollars) / nanoDollars}%`,
                background: costColour(part.colour),
              }}
            />
          ))}
        </span>
      </span>
    </button>
  );
});
