import { formatBytes } from '../../../shared/units.ts';
import { Button } from '../../components/button.tsx';
import { formatProgress } from '../../state/format.ts';
import { useAdd } from '../../state/services.tsx';

export interface SendingProps {
  readonly name: string;
  readonly sizeBytes: number;
  /** `null` where nothing has to be copied, or nothing has been yet. */
  readonly sentBytes: number | null;
}

/** A path saves this much time and space. */
const LARGE_BYTES = 256 * 1024 ** 2;

/** A file on its way to the app. */
export function Sending({ name, sizeBytes, sentBytes }: SendingProps) {
  const skip = useAdd((state) => state.skip);
  if (sentBytes === null) return <p className="mt-1 text-mute wrap-anywhere">Looking at {name}…</p>;

  const share = sizeBytes === 0 ? 0 : Math.min(1, sentBytes / sizeBytes);
  return (
    <>
      <p className="truncate text-mute" title={name}>
        {name}
      </p>
      <div
        role="progressbar"
        aria-label={`Copying ${name}`}
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        className="mt-4 h-1.5 overflow-hidden rounded-full bg-line"
      >
        <div
          className="h-full origin-left rounded-full bg-fill transition-transform duration-200"
          style={{ transform: `scaleX(${share})` }}
        />
      </div>
      <div className="mt-2 flex justify-between">
        <span>
          Copied {formatBytes(sentBytes)} <span className="text-mute">of {formatBytes(sizeBytes)}</span>
        </span>
        <span className="text-mute">{formatProgress(share)}</span>
      </div>
      {sizeBytes >= LARGE_BYTES ? (
        <p className="mt-3 text-mute">
          A browser does not say where a file lies, so it is copied to the app. If the app runs on this
          machine, cancel and give the file's path instead: it is then used where it lies.
        </p>
      ) : null}
      <div className="mt-3 flex justify-end">
        <Button onClick={skip}>Cancel</Button>
      </div>
    </>
  );
}
