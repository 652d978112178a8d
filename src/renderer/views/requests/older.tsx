import { Failure } from '../../components/failure.tsx';
import { plural } from '../../state/format.ts';
import { useRequests } from '../../state/services.tsx';

/** The end of the list: more is coming, could not come, or this is all. */
export function Older() {
  const older = useRequests((state) => state.older);
  const count = useRequests((state) => state.rows.length);
  const loadOlder = useRequests((state) => state.loadOlder);
  if (older.status === 'failed') {
    return (
      <Failure
        error={older.error}
        action={{ label: 'Try again', onClick: () => void loadOlder() }}
        className="my-2"
      />
    );
  }
  return (
    <p className="px-2 py-2 text-mute">
      {older.status === 'none' ? `${plural(count, 'request')} in all.` : 'Loading older requests…'}
    </p>
  );
}
