import { memo, type ReactNode, useEffect, useRef } from 'react';
import type { ModelView } from '../../../shared/contract.ts';
import { formatDuration } from '../../../shared/units.ts';
import { modelColour } from '../../components/model-colour.ts';
import { describeState, describeTrouble } from '../../state/describe-model.ts';
import {
  formatCountdown,
  formatExactTime,
  formatLatency,
  formatMemory,
  formatMemoryBeside,
  formatProgress,
  formatSpeed,
  plural,
} from '../../state/format.ts';
import { useApp, useNowMs } from '../../state/services.tsx';
import { ActionButton } from '../models/action-button.tsx';
import { PinButton } from '../models/pin-button.tsx';
import { LoadProgress, TONES } from '../models/state-cell.tsx';
import { Trouble } from '../models/trouble.tsx';
import { SparkLine } from './spark-line.tsx';

export interface EngineCardProps {
  readonly model: ModelView;
  /** Place in the app's order: gives the colour. */
  readonly index: number;
}

/** One engine: what it does, how fast, what it holds, and when it goes. */
export const EngineCard = memo(function EngineCard({ model, index }: EngineCardProps) {
  const failure = useApp((state) => state.failures[model.id]);
  const asked = useApp((state) => state.asked === model.id);
  const seen = useApp((state) => state.seen);
  const trouble = describeTrouble(model, failure);
  const words = describeState(model);
  const card = useRef<HTMLElement>(null);

  // Whoever pressed the button that this card has taken the place of is not left without a focus.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only where the card appears
  useEffect(() => {
    if (!asked) return;
    if (document.activeElement === document.body) card.current?.focus({ preventScroll: true });
    seen(model.id);
  }, []);

  return (
    <article
      ref={card}
      tabIndex={-1}
      aria-label={model.id}
      className="flex min-h-44 animate-appear flex-col gap-2 rounded-[10px] border border-line bg-card px-3.5 pt-2.5 pb-1.5 shadow-(--shade)"
    >
      <div className="flex items-center gap-1.5">
        <span
          aria-hidden
          className="mr-0.5 size-2.5 shrink-0 rounded-[3px]"
          style={{ background: modelColour(index) }}
        />
        <h3
          className="min-w-0 flex-1 truncate font-semibold"
          title={`${model.name} · ${model.source?.path ?? ''}`}
        >
          {model.id}
        </h3>
        <span className="-mx-1.5 -my-1">
          <PinButton model={model} />
        </span>
        <span
          className={`rounded-full border border-current px-2 text-xs leading-[17px] ${TONES[words.tone]}`}
        >
          {model.state.status === 'loading' ? 'loading' : words.text}
        </span>
      </div>
      {model.state.status === 'loading' ? (
        <Loading model={model} progress={model.state.progress} />
      ) : (
        <Working model={model} index={index} />
      )}
      {trouble === null ? null : <Trouble model={model} trouble={trouble} />}
      <div className="-mx-1.5 mt-auto flex items-center border-line border-t pt-1 pl-1.5">
        <span className="mr-auto truncate text-mute text-sm">
          <Next model={model} />
        </span>
        <ActionButton model={model} look="link" />
      </div>
    </article>
  );
});

function Loading({ model, progress }: { readonly model: ModelView; readonly progress: number }) {
  const { lastLoadMs } = model;
  const left = lastLoadMs === null ? '' : ` · ${formatLatency(lastLoadMs * (1 - progress))} left`;
  return (
    <>
      <div className="py-[7px] [--progress-width:100%]">
        <LoadProgress id={model.id} share={progress} />
      </div>
      <Facts>
        <Fact label="loaded" value={`${formatProgress(progress)}${left}`} />
        <Fact label="needs" value={formatMemory(model.memory.predictedBytes)} />
        <Fact label="waiting" value={plural(model.queuedRequests, 'request')} />
      </Facts>
    </>
  );
}

function quietWords(model: ModelView): string {
  if (model.activeRequests > 0) return 'answering';
  return model.lastFirstTokenMs === null ? 'no requests yet' : 'quiet';
}

function Working({ model, index }: EngineCardProps) {
  const { measuredBytes, predictedBytes } = model.memory;
  return (
    <>
      <SparkLine id={model.id} colour={modelColour(index)} otherwise={quietWords(model)} />
      <Facts>
        <Fact label="speed" value={formatSpeed(model.lastTokensPerSecond)} />
        <Fact label="first token" value={formatLatency(model.lastFirstTokenMs)} />
        <Fact
          label="memory"
          value={formatMemory(measuredBytes)}
          aside={predictedBytes === null ? '' : `(${formatMemoryBeside(predictedBytes, measuredBytes)} said)`}
          title="Measured (predicted before it was loaded)"
        />
      </Facts>
    </>
  );
}

function Facts({ children }: { readonly children: ReactNode }) {
  return <dl className="flex flex-col gap-1.5">{children}</dl>;
}

interface FactProps {
  readonly label: string;
  readonly value: string;
  readonly aside?: string;
  readonly title?: string;
}

const Fact = memo(function Fact({ label, value, aside = '', title }: FactProps) {
  return (
    <div className="flex justify-between gap-2 whitespace-nowrap" title={title}>
      <dt className="text-mute">{label}</dt>
      <dd className="truncate">
        {value} {aside === '' ? null : <span className="text-mute">{aside}</span>}
      </dd>
    </div>
  );
});

/** What comes next for this engine. */
function Next({ model }: { readonly model: ModelView }) {
  const { state, lastLoadMs } = model;
  if (state.status === 'loading') {
    return lastLoadMs === null ? 'first load here' : `took ${formatDuration(lastLoadMs)} last time`;
  }
  if (state.status === 'stopping') return 'giving its memory back';
  if (model.queuedRequests > 0) return `${model.queuedRequests} queued`;
  if (model.idleUnloadAtMs !== null) return <Countdown atMs={model.idleUnloadAtMs} />;
  if (model.pinned) return 'stays loaded';
  return model.activeRequests > 0 ? 'none queued' : '';
}

function Countdown({ atMs }: { readonly atMs: number }) {
  const nowMs = useNowMs();
  return (
    <span title={`Unloaded at ${formatExactTime(atMs)}, if nobody asks for it`}>
      unloads in {formatCountdown(atMs, nowMs)}
    </span>
  );
}
