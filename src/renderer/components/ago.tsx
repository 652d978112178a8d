import { formatAgo, formatExactTime } from '../state/format.ts';
import { useNowMs } from '../state/services.tsx';

export interface AgoProps {
  /** Wall time. */
  readonly atMs: number;
  /** In a sentence: `41 s ago`, `just now`. */
  readonly spelled?: boolean;
}

/** How long ago something was; the exact time on hover. */
export function Ago({ atMs, spelled = false }: AgoProps) {
  const ago = formatAgo(atMs, useNowMs());
  return (
    <time
      dateTime={new Date(atMs).toISOString()}
      title={formatExactTime(atMs)}
      className="whitespace-nowrap text-mute"
    >
      {!spelled ? ago : ago === 'now' ? 'just now' : `${ago} ago`}
    </time>
  );
}
