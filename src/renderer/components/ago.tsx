import { formatAgo, formatExactTime } from '../state/format.ts';
import { useNowMs } from '../state/services.tsx';

/** How long ago something was; the exact time on hover. `atMs` is wall time. */
export function Ago({ atMs }: { readonly atMs: number }) {
  const nowMs = useNowMs();
  return (
    <time
      dateTime={new Date(atMs).toISOString()}
      title={formatExactTime(atMs)}
      className="whitespace-nowrap text-mute"
    >
      {formatAgo(atMs, nowMs)}
    </time>
  );
}
