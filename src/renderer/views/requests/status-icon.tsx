import { Check, CircleAlert, CircleSlash2 } from 'lucide-react';
import type { UsageStatus } from '../../../shared/usage-contract.ts';
import { describeStatus } from '../../state/describe-request.ts';
import { TONES } from '../models/state-cell.tsx';

const ICONS = { ok: Check, error: CircleAlert, cancelled: CircleSlash2 } as const;

/** How a request ended, as a shape; the words are its name. */
export function StatusIcon({ status }: { readonly status: UsageStatus }) {
  const { text, tone } = describeStatus(status);
  const Icon = ICONS[status];
  return (
    <Icon
      role="img"
      aria-label={text}
      className={`size-3.5 ${status === 'ok' ? 'text-mute' : TONES[tone]}`}
    />
  );
}
