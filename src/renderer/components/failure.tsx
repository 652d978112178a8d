import type { ErrorJson } from '../../shared/errors.ts';
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';
import { Words } from './words.tsx';

export interface FailureProps {
  readonly error: ErrorJson;
  /** The one thing to do about it. */
  readonly action?: { readonly label: string; readonly onClick: () => void };
  readonly className?: string;
}

/** Something was asked for and refused: why, and one thing to do. */
export function Failure({ error, action, className = '' }: FailureProps) {
  return (
    <Notice tone="bad" alert className={`rounded-lg border border-line bg-bad-soft px-3 py-2 ${className}`}>
      <p className="wrap-anywhere">
        <Words text={error.message} />
      </p>
      {action === undefined ? null : (
        <Button className="mt-2" onClick={action.onClick}>
          {action.label}
        </Button>
      )}
    </Notice>
  );
}
