import { TriangleAlert } from 'lucide-react';
import type { ModelView } from '../../../shared/contract.ts';
import { firstTokenHeld } from '../../state/describe-target.ts';
import { formatLatency, UNKNOWN } from '../../state/format.ts';
import { useModels } from '../../state/services.tsx';

/** How long 95 of 100 requests waited at most for their first token, and how long they should. */
export function TargetCell({ model }: { readonly model: ModelView }) {
  const row = useModels((state) => state.latency[model.id]);
  const { measured, target, met } = firstTokenHeld(model, row);
  return (
    <>
      <span className={met === false ? 'font-medium text-busy' : measured === null ? 'text-mute' : ''}>
        {met === false ? <TriangleAlert aria-hidden className="mr-1 mb-0.5 inline size-3.5" /> : null}
        {measured === null ? UNKNOWN : formatLatency(measured)}
        {met === null ? null : <span className="sr-only">, {met ? 'meets' : 'misses'} its target</span>}
      </span>
      {target === null ? null : (
        <div className="text-mute text-sm @max-[560px]:hidden">of {formatLatency(target)}</div>
      )}
    </>
  );
}
