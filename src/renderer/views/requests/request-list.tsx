import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowUp } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { UsageRequestView } from '../../../shared/usage-contract.ts';
import { Button } from '../../components/button.tsx';
import { plural } from '../../state/format.ts';
import { placeOfKey } from '../../state/list-keys.ts';
import { useRequests } from '../../state/services.tsx';
import { Older } from './older.tsx';
import { GRID, MIDDLE, NARROW, RequestRow, ROW_PX, rowId, WIDE } from './request-row.tsx';

const HEAD_PX = 28;
const OVERSCAN = 8;
/** Older rows are asked for when so many are left below. */
const AHEAD = 60;

/** The requests, the newest first. Only the rows that can be seen, and a few around them, are in the page. */
export function RequestList() {
  const rows = useRequests((state) => state.rows);
  const unseen = useRequests((state) => state.unseen);
  const older = useRequests((state) => state.older.status);
  const selected = useRequests((state) => state.selected?.row.id ?? null);
  const select = useRequests((state) => state.select);
  const follow = useRequests((state) => state.follow);
  const loadOlder = useRequests((state) => state.loadOlder);
  const scroller = useRef<HTMLTableElement>(null);
  const [activeId, setActiveId] = useState<number | null>(null);

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: OVERSCAN,
    scrollMargin: HEAD_PX,
    scrollPaddingStart: HEAD_PX,
    useFlushSync: false,
  });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (older === 'some' && lastShown >= rows.length - AHEAD) void loadOlder();
  }, [older, lastShown, rows.length, loadOlder]);
  // Who leaves is at the top when they come back.
  useEffect(() => () => follow(true), [follow]);

  const open = (row: UsageRequestView) => {
    setActiveId(row.id);
    select(row);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const at = rows.findIndex((row) => row.id === activeId);
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_PX) - 2);
    const to = placeOfKey(event.key, at, page, rows.length);
    const row = rows[to ?? at];
    if (event.key === 'Escape') select(null);
    else if (event.key === 'Enter' && row !== undefined) open(row);
    else if (to !== null && row !== undefined) {
      setActiveId(row.id);
      virtual.scrollToIndex(to);
      // The details follow while they are shown.
      if (selected !== null) select(row);
    } else return;
    event.preventDefault();
  };
  const shownActive = items.some((item) => rows[item.index]?.id === activeId);

  return (
    <div className="relative min-h-0 flex-1">
      <table
        ref={scroller}
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a grid may be a table, says ARIA in HTML
        role="grid"
        aria-label="Requests"
        aria-rowcount={older === 'none' ? rows.length + 1 : -1}
        aria-activedescendant={shownActive && activeId !== null ? rowId(activeId) : undefined}
        data-older={older}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          if (event.target === event.currentTarget && activeId === null) setActiveId(rows[0]?.id ?? null);
        }}
        onScroll={(event) => follow(event.currentTarget.scrollTop < ROW_PX / 2)}
        className="block h-full overflow-y-auto overflow-x-hidden outline-offset-2 [overflow-anchor:none]"
      >
        <Head />
        <tbody className="relative block" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index];
            return row === undefined ? null : (
              <RequestRow
                key={row.id}
                row={row}
                topPx={item.start - HEAD_PX}
                place={item.index + 2}
                active={row.id === activeId}
                selected={row.id === selected}
                onSelect={open}
              />
            );
          })}
        </tbody>
        <tfoot className="block">
          <tr className="block">
            <td className="block border-line border-t">
              <Older />
            </td>
          </tr>
        </tfoot>
      </table>
      {unseen > 0 ? (
        <Button
          shape="pill"
          className="-translate-x-1/2 absolute top-9 left-1/2 shadow-(--shade-high)"
          onClick={() => {
            scroller.current?.scrollTo({ top: 0 });
            follow(true);
            scroller.current?.focus({ preventScroll: true });
          }}
        >
          <ArrowUp aria-hidden className="size-3.5" />
          {plural(unseen, 'new request')}
        </Button>
      ) : null}
    </div>
  );
}

const COLUMNS: readonly (readonly [head: string, className: string])[] = [
  ['when', ''],
  ['', ''],
  ['asked, went to', ''],
  ['user', WIDE],
  ['type', WIDE],
  ['where time went', MIDDLE],
  ['first token', `${MIDDLE} text-right`],
  ['total', 'text-right'],
  ['tokens in → out', `${NARROW} text-right`],
  ['cost', 'text-right'],
];

function Head() {
  return (
    <thead className="sticky top-0 z-1 block bg-page">
      <tr
        aria-rowindex={1}
        className={`${GRID} items-end px-2 pb-1.5 text-mute text-xs`}
        style={{ height: HEAD_PX }}
      >
        {COLUMNS.map(([head, className]) => (
          <th key={head} scope="col" className={`whitespace-nowrap text-left font-medium ${className}`}>
            {head === '' ? <span className="sr-only">status</span> : head}
          </th>
        ))}
      </tr>
    </thead>
  );
}
