import { Download } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { Failure } from '../../components/failure.tsx';
import { Words } from '../../components/words.tsx';
import { useCost } from '../../state/services.tsx';

/** The requests behind the sums, as files. */
export function ExportLinks() {
  const days = useCost((state) => state.days);
  const exporting = useCost((state) => state.exporting);
  const canExport = useCost((state) => state.canExport);
  const exportRequests = useCost((state) => state.exportRequests);
  const cancel = useCost((state) => state.cancelExport);
  if (!canExport) {
    return (
      <p className="mt-3 text-mute">
        <Words text={`As a file: \`roundhouse usage --since ${days}d --csv requests.csv\` in a terminal.`} />
      </p>
    );
  }
  if (exporting.status === 'running') {
    return (
      <div className="mt-2 flex items-center gap-2">
        <span role="status" className="text-mute">
          Collecting the requests of {days} days…
        </span>
        <Button look="link" onClick={cancel}>
          Cancel
        </Button>
      </div>
    );
  }
  return (
    <>
      <div className="mt-2 flex items-center gap-1">
        <Download aria-hidden className="mr-1 size-3.5 text-mute" />
        <span className="text-mute">The requests of these {days} days as</span>
        <Button
          look="link"
          name="Export as CSV"
          onClick={() => void exportRequests('csv')}
          className="px-1.5"
        >
          CSV
        </Button>
        <Button
          look="link"
          name="Export as JSON lines"
          onClick={() => void exportRequests('jsonl')}
          className="px-1.5"
        >
          JSON lines
        </Button>
      </div>
      {exporting.status === 'failed' ? (
        <Failure
          error={exporting.error}
          action={{ label: 'Try again', onClick: () => void exportRequests(exporting.format) }}
          className="mt-2"
        />
      ) : null}
    </>
  );
}
