import { memo } from 'react';
import type { UsageRequestView } from '../../../shared/usage-contract.ts';
import { Ago } from '../../components/ago.tsx';
import { formatCost, formatShortDollars, formatTokens } from '../../state/describe-request.ts';
import { formatLatency } from '../../state/format.ts';
import { StageBar } from './stage-bar.tsx';
import { StatusIcon } from './status-icon.tsx';

export const ROW_PX = 34;

/** The first flexible column takes what the others leave; who asked and where time went go first where there is no room. */
export const GRID =
  'grid grid-cols-[36px_14px_minmax(0,1fr)_minmax(0,72px)_minmax(0,76px)_88px_64px_60px_104px_103px] gap-x-3 ' +
  '@max-[800px]:grid-cols-[36px_14px_minmax(0,1fr)_88px_64px_60px_104px_103px] ' +
  '@max-[640px]:grid-cols-[36px_14px_minmax(0,1fr)_60px_104px_103px] ' +
  '@max-[460px]:grid-cols-[36px_14px_minmax(0,1fr)_60px_103px]';
export const WIDE = '@max-[800px]:hidden';
export const MIDDLE = '@max-[640px]:hidden';
export const NARROW = '@max-[460px]:hidden';

export interface RequestRowProps {
  readonly row: UsageRequestView;
  /** From the top of all rows, in pixels. */
  readonly topPx: number;
  /** Place among all rows, the head being 1. */
  readonly place: number;
  /** Where the keyboard is. */
  readonly active: boolean;
  /** Whose details are shown. */
  readonly selected: boolean;
  readonly onSelect: (row: UsageRequestView) => void;
}

export function rowId(id: number): string {
  return `request-${id}`;
}

/** One request in one line. Memoised: rows never change, they only move. */
export const RequestRow = memo(function RequestRow(props: RequestRowProps) {
  const { row, active, selected, onSelect } = props;
  const known = row.costNanoDollars !== null;
  return (
    <tr
      id={rowId(row.id)}
      aria-rowindex={props.place}
      aria-selected={selected}
      data-active={active}
      onClick={() => onSelect(row)}
      className={`${GRID} absolute inset-x-0 top-0 items-center border-line border-t px-2 ${selected ? 'bg-accent/12' : 'hover:bg-ink/4'} data-[active=true]:outline-2 data-[active=true]:outline-transparent data-[active=true]:-outline-offset-2 in-focus-visible:data-[active=true]:outline-accent`}
      style={{ height: ROW_PX, transform: `translateY(${props.topPx}px)` }}
    >
      <Cell>
        <Ago atMs={row.atMs} />
      </Cell>
      <Cell>
        <StatusIcon status={row.status} />
      </Cell>
      <Cell title={row.route}>
        <span className="font-medium">{row.asked}</span>
        {row.model === null || row.model === row.asked ? null : (
          <span className="text-mute"> → {row.model}</span>
        )}
        {row.tryCount > 1 ? <span className="text-mute text-sm"> · {row.tryCount} tries</span> : null}
      </Cell>
      <Cell className={WIDE}>{row.user ?? row.keyName ?? <span className="text-mute">–</span>}</Cell>
      <Cell className={`${WIDE} text-mute`}>{row.contentType ?? '–'}</Cell>
      <Time row={row} />
      <Cell className="text-right">{formatLatency(row.totalMs)}</Cell>
      <Cell className={`${NARROW} text-right`}>{formatTokens(row)}</Cell>
      <Cell className={`text-right ${known ? '' : 'text-mute text-sm'}`} title={formatCost(row)}>
        {known ? formatShortDollars(row.costNanoDollars) : formatCost(row)}
      </Cell>
    </tr>
  );
});

/** Where its time went; for one that never had a first token, why. */
function Time({ row }: { readonly row: UsageRequestView }) {
  if (row.errorCode !== null && row.firstTokenMs === null) {
    return (
      <td colSpan={2} className={`${MIDDLE} col-span-2 truncate text-bad text-sm`} title={row.errorCode}>
        {row.errorCode}
      </td>
    );
  }
  return (
    <>
      <Cell className={MIDDLE}>
        <StageBar figures={row} />
      </Cell>
      <Cell className={`${MIDDLE} text-right`}>{formatLatency(row.firstTokenMs)}</Cell>
    </>
  );
}

function Cell(props: {
  readonly children: React.ReactNode;
  readonly className?: string;
  readonly title?: string;
}) {
  return (
    <td title={props.title} className={`truncate ${props.className ?? ''}`}>
      {props.children}
    </td>
  );
}
