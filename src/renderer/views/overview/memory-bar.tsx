import { memo } from 'react';
import { modelColour } from '../../components/model-colour.ts';
import { moveFocus } from '../../components/move-focus.ts';
import { formatMemory } from '../../state/format.ts';
import type { Ghost, MemoryLayout } from '../../state/memory-layout.ts';
import { MemorySegment, NAMED_SHARE } from './memory-segment.tsx';
import { useGlide } from './use-glide.ts';

const GIB = 1024 ** 3;

export interface MemoryBarProps {
  readonly layout: MemoryLayout;
  /** How far the models that are loading have come, by their place in the app's order. */
  readonly progress: ReadonlyMap<number, number>;
  /** Id of the segment whose details are shown. */
  readonly active: string | null;
  /** Called with the same identity for the life of the bar. */
  readonly onActive: (id: string | null) => void;
}

/**
 * All of the machine's memory to scale: who holds what, and where engines must stop. Everything that moves is moved by
 * transforms of boxes as wide as the bar, so that a shift needs no layout.
 */
export function MemoryBar({ layout, progress, active, onActive }: MemoryBarProps) {
  const stop = layout.segments.find((segment) => segment.id === active) ?? layout.segments[0];
  const glides = useGlide(layout);
  return (
    <div className={glides ? 'relative glides' : 'relative'}>
      <div
        role="toolbar"
        aria-label={`Memory, ${formatMemory(layout.totalBytes)}`}
        onKeyDown={moveFocus}
        className="relative h-15 overflow-hidden rounded-[10px] border border-line bg-card shadow-(--shade) [contain:strict]"
      >
        <Beyond from={layout.limit} />
        <Free
          from={layout.heldTo}
          to={layout.limit}
          bytes={layout.freeBytes}
          hidden={layout.ghost !== null}
        />
        {layout.segments.map((segment) => (
          <MemorySegment
            key={segment.id}
            id={segment.id}
            kind={segment.kind}
            label={segment.label}
            model={segment.model}
            start={segment.start}
            share={segment.share}
            weights={segment.weights}
            cache={segment.cache}
            leaves={segment.leaves}
            size={formatMemory(segment.bytes)}
            progress={segment.model === null ? 1 : (progress.get(segment.model) ?? 1)}
            tabStop={segment === stop}
            shown={segment.id === active}
            onActive={onActive}
          />
        ))}
        {layout.ghost === null ? null : <GhostBox {...layout.ghost} />}
      </div>
      <Budget at={layout.limit} size={formatMemory(layout.budgetBytes)} />
      <Scale totalBytes={layout.totalBytes} />
    </div>
  );
}

/** What engines may not have. */
const Beyond = memo(function Beyond({ from }: { readonly from: number }) {
  return (
    <div aria-hidden className="absolute inset-0 moves" style={{ transform: `translateX(${from * 100}%)` }}>
      <div className="h-full bg-ink/4" />
    </div>
  );
});

interface FreeProps {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly hidden: boolean;
}

function Free({ from, to, bytes, hidden }: FreeProps) {
  return <FreeWords from={from} share={Math.max(0, to - from)} size={formatMemory(bytes)} hidden={hidden} />;
}

const FreeWords = memo(function FreeWords(props: {
  readonly from: number;
  readonly share: number;
  readonly size: string;
  readonly hidden: boolean;
}) {
  return (
    <div
      aria-hidden
      className="absolute inset-0 moves"
      style={{ transform: `translateX(${props.from * 100}%)` }}
    >
      <div
        className={`@container flex h-full items-center justify-end moves-width ${props.hidden ? 'opacity-0' : ''}`}
        style={{ width: `${props.share * 100}%` }}
      >
        {props.share < 2 * NAMED_SHARE ? null : (
          <span className="whitespace-nowrap pr-3.5 text-mute @max-[100px]:hidden">{props.size} free</span>
        )}
      </div>
    </div>
  );
});

const GhostBox = memo(function GhostBox({ label, model, bytes, start, share, outcome }: Ghost) {
  const colour = GHOST_COLOURS[outcome] ?? modelColour(model);
  return (
    <div
      className="pointer-events-none absolute inset-0 moves"
      style={{ transform: `translateX(${start * 100}%)` }}
    >
      <div
        data-testid="ghost"
        className={`flex min-w-1 flex-col justify-center animate-appear overflow-hidden rounded-[3px] border-2 border-dashed ${outcome === 'evicts' ? 'h-[68%]' : 'h-full'}`}
        style={{
          width: `${share * 100}%`,
          borderColor: colour,
          backgroundColor: `color-mix(in srgb, ${colour} 12%, var(--card))`,
        }}
      >
        {share < NAMED_SHARE ? null : (
          <>
            <span className="truncate px-2 font-semibold leading-4">{label}</span>
            <span className="truncate px-2 text-xs leading-4">
              {formatMemory(bytes)} {share < 2 * NAMED_SHARE ? '' : GHOST_WORDS[outcome]}
            </span>
          </>
        )}
      </div>
    </div>
  );
});

/** A colour of its own where it does not just go in. */
const GHOST_COLOURS: Readonly<Partial<Record<Ghost['outcome'], string>>> = {
  waits: 'var(--busy)',
  never: 'var(--bad)',
};

const GHOST_WORDS: Readonly<Record<Ghost['outcome'], string>> = {
  resident: '',
  fits: 'would go here',
  evicts: 'would go here',
  waits: 'would have to wait',
  never: 'does not fit',
};

const Budget = memo(function Budget({ at, size }: { readonly at: number; readonly size: string }) {
  return (
    <>
      {/* What moves is as wide as the bar: cut off, or the page could be scrolled sideways. */}
      <div aria-hidden className="pointer-events-none absolute inset-x-0 -top-2 h-19 overflow-hidden">
        <div className="h-full moves" style={{ transform: `translateX(${at * 100}%)` }}>
          <div className="-translate-x-full h-full w-0.5 rounded-full bg-ink" />
        </div>
      </div>
      <div
        className="-top-2 -translate-x-1/2 -translate-y-full absolute whitespace-nowrap pb-1 text-mute text-xs"
        style={{ left: `clamp(48px, ${at * 100}%, calc(100% - 48px))` }}
      >
        budget {size}
      </div>
    </>
  );
});

const Scale = memo(function Scale({ totalBytes }: { readonly totalBytes: number }) {
  const gib = totalBytes / GIB;
  const digits = gib < 8 ? 1 : 0;
  return (
    <div aria-hidden className="mt-2 flex justify-between text-mute text-xs">
      {[0, 0.25, 0.5, 0.75].map((part) => (
        <span key={part}>{part === 0 ? '0' : (gib * part).toFixed(digits)}</span>
      ))}
      <span>{gib.toFixed(digits)} GiB</span>
    </div>
  );
});
