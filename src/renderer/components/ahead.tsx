import { formatAhead, formatExactTime } from '../state/format.ts';
import { useNowMs } from '../state/services.tsx';

/** How long until something; the exact time on hover. `atMs` is wall time. */
export function Ahead({ atMs }: { readonly atMs: number }) {
  const nowMs = useNowMs();
  return (
    <time dateTime={new Date(atMs).toISOString()} title={formatExactTime(atMs)} className="whitespace-nowrap">
      {formatAhead(atMs, nowMs)}
    </time>
  );
}
