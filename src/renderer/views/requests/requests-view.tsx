import { useEffect } from 'react';
import { Button } from '../../components/button.tsx';
import { Failure } from '../../components/failure.tsx';
import { isFiltered, NO_FILTERS } from '../../state/request-filters.ts';
import { useRequests } from '../../state/services.tsx';
import { FilterBar } from './filter-bar.tsx';
import { NoRequests } from './no-requests.tsx';
import { RequestList } from './request-list.tsx';
import { RequestPanel } from './request-panel.tsx';
import { MIDDLE } from './request-row.tsx';
import { STAGES } from './stage-words.ts';

/** Every request as it ends, and where its time and its money went. */
export function RequestsView() {
  const open = useRequests((state) => state.open);
  const selected = useRequests((state) => state.selected !== null);
  useEffect(open, [open]);
  return (
    <div className="flex h-full flex-col">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-3 px-5 pt-6 pb-4 lg:px-7">
        <h1 className="mr-auto font-semibold text-xl tracking-tight">Requests</h1>
        <FilterBar />
      </div>
      <div className="@container relative min-h-0 flex-1 px-5 pb-4 lg:px-7">
        <div
          className={`grid h-full min-h-0 grid-rows-[minmax(0,1fr)] gap-5 ${selected ? '@min-[820px]:grid-cols-[minmax(0,1fr)_340px]' : ''}`}
        >
          <Content />
          {selected ? <RequestPanel /> : null}
        </div>
      </div>
    </div>
  );
}

function Content() {
  const list = useRequests((state) => state.list);
  const empty = useRequests((state) => state.rows.length === 0);
  const filtered = useRequests((state) => isFiltered(state.filters));
  const filter = useRequests((state) => state.filter);
  const reload = useRequests((state) => state.reload);
  if (list.status === 'failed') {
    return (
      <div>
        <Failure error={list.error} action={{ label: 'Try again', onClick: () => void reload() }} />
      </div>
    );
  }
  if (!empty) {
    return (
      <div className="@container flex min-h-0 min-w-0 flex-col">
        <RequestList />
        <Legend />
      </div>
    );
  }
  if (list.status === 'loading') return <p className="text-mute">Asking the app for its requests…</p>;
  if (!filtered) return <NoRequests />;
  return (
    <section
      aria-label="Requests"
      className="flex flex-col items-center self-start rounded-[10px] border border-edge border-dashed bg-card px-6 py-10 text-center"
    >
      <h2 className="font-semibold text-lg">No request is like this</h2>
      <p className="mt-1 text-mute">None of those that are kept passes all filters.</p>
      <Button className="mt-4" onClick={() => filter(NO_FILTERS)}>
        Clear filters
      </Button>
    </section>
  );
}

/** What the colours of the bars stand for. */
function Legend() {
  return (
    <ul
      aria-label="Stages"
      className={`flex flex-wrap gap-x-4 border-line border-t px-2 pt-2 text-mute text-xs ${MIDDLE}`}
    >
      {Object.values(STAGES).map(({ label, colour }) => (
        <li key={label} className="flex items-center gap-1.5">
          <span aria-hidden className="size-2 rounded-[2px]" style={{ background: colour }} />
          {label}
        </li>
      ))}
    </ul>
  );
}
