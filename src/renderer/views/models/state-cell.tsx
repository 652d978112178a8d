import type { ModelView } from '../../../shared/contract.ts';
import { describeState, type Tone } from '../../state/describe-model.ts';
import { formatCountdown, formatExactTime } from '../../state/format.ts';
import { useNowMs } from '../../state/services.tsx';

export const TONES: Readonly<Record<Tone, string>> = {
  quiet: 'text-mute',
  good: 'text-good',
  busy: 'text-busy',
  bad: 'text-bad',
};

/** How a model is, in words; below, what comes next: the rest of the load, who waits, when it goes. */
export function StateCell({ model }: { readonly model: ModelView }) {
  const words = describeState(model);
  return (
    <>
      <span className={`font-medium ${TONES[words.tone]}`}>{words.text}</span>
      {model.state.status === 'loading' ? <LoadProgress id={model.id} share={model.state.progress} /> : null}
      {model.queuedRequests > 0 ? (
        <div className="text-mute text-sm">{model.queuedRequests} queued</div>
      ) : null}
      {model.idleUnloadAtMs === null ? null : <IdleCountdown atMs={model.idleUnloadAtMs} />}
    </>
  );
}

export function LoadProgress({ id, share }: { readonly id: string; readonly share: number }) {
  return (
    <div
      role="progressbar"
      aria-label={`Loading ${id}`}
      aria-valuenow={Math.round(share * 100)}
      aria-valuemin={0}
      aria-valuemax={100}
      className="mt-1.5 mb-1 h-[5px] max-w-(--progress-width,112px) overflow-hidden rounded-full bg-line"
    >
      <div
        className="h-full origin-left rounded-full bg-busy transition-transform duration-200"
        style={{ transform: `scaleX(${share})` }}
      />
    </div>
  );
}

function IdleCountdown({ atMs }: { readonly atMs: number }) {
  const nowMs = useNowMs();
  return (
    <div
      className="whitespace-nowrap text-mute text-sm"
      title={`At ${formatExactTime(atMs)}, if nobody asks for it`}
    >
      unloads in {formatCountdown(atMs, nowMs)}
    </div>
  );
}
