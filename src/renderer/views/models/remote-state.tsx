import type { ModelView } from '../../../shared/contract.ts';
import { describeState } from '../../state/describe-model.ts';
import { useApp } from '../../state/services.tsx';
import { HealthBadge } from '../providers/health-badge.tsx';
import { TONES } from './state-cell.tsx';

/** Whether a remote model can be asked: what its provider's last answer says. */
export function RemoteState({ model }: { readonly model: ModelView }) {
  const provider = useApp((state) => state.snapshot?.providers.find(({ name }) => name === model.provider));
  if (model.stage === 'retired') return <Words text="not asked" tone="bad" provider={model.provider} />;
  if (provider === undefined || model.problem !== null) {
    const { text, tone } = describeState(model);
    return <Words text={text} tone={tone} provider={model.provider === text ? null : model.provider} />;
  }
  return (
    <>
      <HealthBadge provider={provider} />
      <div className="truncate text-mute text-sm">{provider.name}</div>
    </>
  );
}

interface WordsProps {
  readonly text: string;
  readonly tone: keyof typeof TONES;
  readonly provider: string | null;
}

function Words({ text, tone, provider }: WordsProps) {
  return (
    <>
      <span className={`font-medium ${TONES[tone]}`}>{text}</span>
      {provider === null ? null : <div className="truncate text-mute text-sm">{provider}</div>}
    </>
  );
}
