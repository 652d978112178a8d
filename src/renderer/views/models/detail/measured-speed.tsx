import { CircleCheck, TriangleAlert } from 'lucide-react';
import type { ModelView } from '../../../../shared/contract.ts';
import { Fact, Facts } from '../../../components/facts.tsx';
import { isLocal } from '../../../state/describe-model.ts';
import { firstTokenHeld, type Held, speedHeld } from '../../../state/describe-target.ts';
import { formatCount, formatLatency, formatSpeed, plural } from '../../../state/format.ts';
import { useModels } from '../../../state/services.tsx';

/** How fast it was, against what is asked of it. */
export function MeasuredSpeed({ model }: { readonly model: ModelView }) {
  const row = useModels((state) => state.latency[model.id]);
  const { firstTokenMs, tokensPerSecond } = model.latencyTarget;
  const targets = [
    firstTokenMs === null ? [] : [`first token in ${formatLatency(firstTokenMs)}`],
    tokensPerSecond === null ? [] : [formatSpeed(tokensPerSecond)],
  ].flat();
  if (row === undefined) {
    return (
      <p className="text-mute">
        Nobody asked it anything.{targets.length === 0 ? '' : ` Its target: ${targets.join(', ')}.`}
      </p>
    );
  }
  const { warm, cold } = row;
  return (
    <>
      <Facts>
        <Fact label="first token, p50">{formatLatency(warm.firstTokenMs?.p50 ?? null)}</Fact>
        <Fact label="first token, p95">
          <Against held={firstTokenHeld(model, row)} format={formatLatency} />
        </Fact>
        {cold.requests === 0 ? null : (
          <Fact label="with its load, p95" title="Of requests that found it not loaded">
            {formatLatency(cold.firstTokenMs?.p95 ?? null)}
          </Fact>
        )}
        <Fact label="speed, p95" title="95 of 100 requests were as fast, or faster">
          <Against held={speedHeld(model, row)} format={formatSpeed} />
        </Fact>
        {isLocal(model) ? <Fact label="last load">{formatLatency(model.lastLoadMs)}</Fact> : null}
      </Facts>
      <p className="mt-1 text-mute text-sm">
        Of {plural(warm.requests + cold.requests, 'request')}
        {cold.requests === 0 ? '' : `, ${formatCount(cold.requests)} of which waited for its load`}.
        {targets.length === 0 ? ' No target is set.' : ''}
      </p>
    </>
  );
}

interface AgainstProps {
  readonly held: Held;
  readonly format: (value: number | null) => string;
}

function Against({ held, format }: AgainstProps) {
  const { measured, target, met } = held;
  const Icon = met ? CircleCheck : TriangleAlert;
  return (
    <>
      {met === null ? null : (
        <Icon aria-hidden className={`mr-1 mb-0.5 inline size-3.5 ${met ? 'text-good' : 'text-busy'}`} />
      )}
      {format(measured)}
      {target === null ? null : (
        <span className="text-mute">
          {' '}
          {met === false ? 'misses' : met ? 'meets' : 'target'} {format(target)}
        </span>
      )}
    </>
  );
}
