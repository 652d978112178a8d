import { assertNever } from '../../shared/assert-never.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { useApp } from '../state/services.tsx';
import type { Connection } from '../transport/transport.ts';

interface Words {
  readonly text: string;
  readonly dot: string;
}

function describe(connection: Connection): Words {
  switch (connection.status) {
    case 'connected':
      return { text: 'Serving', dot: 'bg-good' };
    case 'connecting':
      return { text: 'Connecting', dot: 'bg-edge' };
    case 'reconnecting':
      return { text: 'Reconnecting', dot: 'bg-busy' };
    case 'refused':
      return { text: 'Page expired', dot: 'bg-bad' };
    default:
      return assertNever(connection);
  }
}

/** Whether the port serves, where it is, and its base URL to take away. */
export function PortBox() {
  const words = describe(useApp((state) => state.connection));
  const server = useApp((state) => state.snapshot?.server);
  const baseUrl = server === undefined ? null : `${server.url}/v1`;

  return (
    <div
      className="mt-auto rounded-lg border border-line bg-card px-2.5 py-2 shadow-(--shade)"
      title={server === undefined ? words.text : `Roundhouse ${server.version} · ${server.machine}`}
    >
      <div className="flex items-center gap-2">
        <span aria-hidden className={`size-2 shrink-0 rounded-full ${words.dot} max-md:mx-auto`} />
        <span role="status" className="font-semibold max-md:sr-only">
          {words.text}
        </span>
        {baseUrl === null ? null : (
          <CopyButton text={baseUrl} name="Copy base URL" className="-my-1 -mr-1 ml-auto max-md:hidden" />
        )}
      </div>
      <div className="truncate text-mute max-md:hidden" title={baseUrl ?? undefined}>
        {server === undefined ? 'waiting for the app' : new URL(server.url).host}
      </div>
    </div>
  );
}
