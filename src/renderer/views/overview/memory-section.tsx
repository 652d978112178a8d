import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react';
import type { MemoryView, ModelView } from '../../../shared/contract.ts';
import { memoryWarnings } from '../../../shared/memory-warnings.ts';
import { formatBytes } from '../../../shared/units.ts';
import { Notice } from '../../components/notice.tsx';
import { layOutMemory, type MemoryLayout } from '../../state/memory-layout.ts';
import { usePlan } from '../../state/services.tsx';
import { MemoryBar } from './memory-bar.tsx';
import { MemoryTip } from './memory-tip.tsx';
import { Sentence } from './sentence.tsx';

export interface MemorySectionProps {
  readonly memory: MemoryView;
  readonly models: readonly ModelView[];
  /** The same models, for what is read. */
  readonly calm: readonly ModelView[];
}

/** The memory in one line of numbers and one bar, with what loading the model pointed at would do. */
export function MemorySection({ memory, models, calm }: MemorySectionProps) {
  const pointed = usePlan((state) => state.pointed);
  const plan = usePlan((state) => state.plan);
  const [active, setActive] = useState<string | null>(null);
  const onActive = useCallback((id: string | null) => setActive(id), []);
  useEscape(active !== null, () => setActive(null));

  const layout = useMemo(() => {
    const preview = pointed === null || plan === null ? null : { modelId: pointed, plan };
    return layOutMemory(memory, models, preview);
  }, [memory, models, pointed, plan]);
  const segment = layout.segments.find((other) => other.id === active);
  return (
    <section aria-labelledby="memory-heading">
      <div className="flex items-baseline justify-between gap-4">
        <h2 id="memory-heading" className="font-semibold">
          Memory
        </h2>
        <Numbers memory={memory} layout={layout} />
      </div>
      <Warnings memory={memory} />
      <div className="relative">
        <MemoryBar layout={layout} progress={progressOf(models)} active={active} onActive={onActive} />
        {segment === undefined ? null : (
          <MemoryTip
            segment={segment}
            model={segment.model === null ? null : (calm[segment.model] ?? null)}
            memory={memory}
            onActive={onActive}
          />
        )}
      </div>
      {/* One line high, whatever stands in it, so that nothing below moves. */}
      <div className="mt-2 min-h-[19px]">
        <p role="status" className={layout.ghost === null ? 'sr-only' : 'line-clamp-2'} title={plan?.text}>
          {layout.ghost === null || plan === null ? '' : <Sentence text={plan.text} modelId={pointed} />}
        </p>
        {layout.ghost === null ? (
          <div className="flex flex-wrap justify-between gap-x-4 text-mute text-xs leading-[19px]">
            <Legend />
            <PrefixCache use={memory.prefixCache} />
          </div>
        ) : null}
      </div>
    </section>
  );
}

/** Stands there also while it is empty, so that a warning is read out when it comes, and not with each new number. */
function Warnings({ memory }: { readonly memory: MemoryView }) {
  return (
    <div
      role="status"
      aria-label="Memory warnings"
      aria-atomic={false}
      aria-relevant="additions"
      className="mb-7"
    >
      {memoryWarnings(memory).map(({ tone, title, text }) => (
        <Notice key={title} tone={tone} className="mt-1.5">
          <p>
            <b className={tone === 'bad' ? 'text-bad' : 'text-busy'}>{title}.</b> {text}
          </p>
        </Notice>
      ))}
    </div>
  );
}

function Numbers({ memory, layout }: { readonly memory: MemoryView; readonly layout: MemoryLayout }) {
  const overBytes = memory.overrunBytes;
  return (
    <p className="text-mute">
      {formatBytes(layout.measuredBytes)} measured · {formatBytes(memory.reservedBytes)} reserved of{' '}
      {formatBytes(memory.budgetBytes)} ·{' '}
      {overBytes > 0 ? (
        <span className="font-medium text-bad">{formatBytes(overBytes)} over the budget</span>
      ) : (
        <span className="font-medium text-ink">{formatBytes(layout.freeBytes)} free</span>
      )}
    </p>
  );
}

function Legend() {
  return (
    <ul aria-label="Legend" className="flex flex-wrap gap-x-4">
      <Key look="bg-mute">weights</Key>
      <Key look="bg-mute/60">cache</Key>
      <Key look="bg-mute/30">buffers and process</Key>
      <Key look="border border-dashed border-mute">predicted</Key>
      <Key look="hatched border border-line">other programs</Key>
      <Key look="hatched-fine border border-line">margin</Key>
    </ul>
  );
}

/** What is kept beside the memory, on disk; nothing where nothing is kept. */
function PrefixCache({ use }: { readonly use: MemoryView['prefixCache'] }) {
  if (use === null) return null;
  return (
    <p
      className="whitespace-nowrap"
      title="What unloaded models had read of conversations, so that they need not read it again"
    >
      prefix cache on disk {formatBytes(use.bytes)} of {formatBytes(use.limitBytes)}
    </p>
  );
}

function Key({ look, children }: { readonly look: string; readonly children: ReactNode }) {
  return (
    <li className="flex items-center gap-1.5 whitespace-nowrap">
      <span aria-hidden className={`h-2.5 w-3.5 rounded-[3px] ${look}`} />
      {children}
    </li>
  );
}

function progressOf(models: readonly ModelView[]): ReadonlyMap<number, number> {
  return new Map(
    models.flatMap((model, index) =>
      model.state.status === 'loading' ? [[index, Math.round(model.state.progress * 100) / 100]] : [],
    ),
  );
}

/** Calls `run` when Escape is pressed anywhere, while `on`. */
function useEscape(on: boolean, run: () => void): void {
  useEffect(() => {
    if (!on) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape') run();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  });
}
