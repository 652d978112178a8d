import { PlugZap, Unplug } from 'lucide-react';
import { Button } from '../components/button.tsx';
import { useApp } from '../state/services.tsx';

/** Says so when what the page shows may be old. */
export function ConnectionBanner() {
  const connection = useApp((state) => state.connection);
  const seen = useApp((state) => state.snapshot !== null);
  if (connection.status === 'connecting' || connection.status === 'connected') return null;

  const refused = connection.status === 'refused';
  const Icon = refused ? Unplug : PlugZap;
  return (
    <div role="alert" className="flex items-center gap-3 border-line border-b bg-card px-5 py-2 lg:px-7">
      <Icon aria-hidden className={`size-4 shrink-0 ${refused ? 'text-bad' : 'text-busy'}`} />
      <p className="min-w-0">
        <b>{refused ? 'The app does not accept this page any more.' : 'Connection lost, trying again.'}</b>{' '}
        <span className="text-mute">
          {connection.reason}
          {seen ? ' What you see here may be out of date.' : ''}
        </span>
      </p>
      {refused ? (
        <Button className="ml-auto" onClick={() => window.location.reload()}>
          Reload page
        </Button>
      ) : null}
    </div>
  );
}
