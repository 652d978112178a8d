import { CircleCheck, CircleQuestionMark, Hourglass, KeyRound, type LucideIcon, Unplug } from 'lucide-react';
import type { ProviderView } from '../../../shared/provider-contract.ts';
import { describeHealth, type HealthWords } from '../../state/describe-provider.ts';
import { TONES } from '../models/state-cell.tsx';

const SIGNS: Readonly<Record<HealthWords['sign'], LucideIcon>> = {
  unknown: CircleQuestionMark,
  ok: CircleCheck,
  key: KeyRound,
  down: Unplug,
  limited: Hourglass,
};

/** Whether a provider would answer, in a sign and in words. */
export function HealthBadge({ provider }: { readonly provider: ProviderView }) {
  const { sign, text, tone } = describeHealth(provider);
  const Icon = SIGNS[sign];
  return (
    <span className={`flex shrink-0 items-center gap-1.5 whitespace-nowrap font-medium ${TONES[tone]}`}>
      <Icon aria-hidden className="size-3.5" />
      {text}
    </span>
  );
}
