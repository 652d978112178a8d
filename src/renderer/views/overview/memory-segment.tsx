import { memo } from 'react';
import { modelColour } from '../../components/model-colour.ts';
import type { Segment, SegmentKind } from '../../state/memory-layout.ts';

export interface MemorySegmentProps extends Omit<Segment, 'bytes'> {
  readonly size: string;
  /** Of its load, between 0 and 1. */
  readonly progress: number;
  readonly tabStop: boolean;
  readonly shown: boolean;
  readonly onActive: (id: string | null) => void;
}

const WORDS: Readonly<Record<SegmentKind, string>> = {
  other: 'the system and other programs',
  model: 'measured',
  predicted: 'predicted',
  standby: 'an engine process waiting for the next load',
  reserved: 'promised beyond what was measured',
};

export const MEMORY_TIP = 'memory-tip';

/** A stretch of the bar. Memoised by its plain props: while numbers move within a pixel it is not drawn anew. */
export const MemorySegment = memo(function MemorySegment(props: MemorySegmentProps) {
  const { id, kind, label, size, onActive } = props;
  return (
    <div
      className="pointer-events-none absolute inset-0 moves"
      style={{ transform: `translateX(${props.start * 100}%)` }}
    >
      <button
        type="button"
        aria-label={`${label} ${size}, ${WORDS[kind]}${props.leaves ? ', would be unloaded' : ''}`}
        aria-describedby={props.shown ? MEMORY_TIP : undefined}
        tabIndex={props.tabStop ? 0 : -1}
        onPointerEnter={() => onActive(id)}
        onPointerLeave={() => onActive(null)}
        onFocus={() => onActive(id)}
        onBlur={() => onActive(null)}
        onClick={() => onActive(id)}
        data-leaves={props.leaves}
        className={`pointer-events-auto relative block h-full min-w-[3px] animate-appear overflow-hidden text-left moves-width [contain:strict] focus-visible:outline-ink focus-visible:-outline-offset-2`}
        style={{ width: `${props.share * 100}%` }}
      >
        <Fill {...props} />
        {props.leaves && props.share >= NAMED_SHARE / 2 ? <Leaving label={label} size={size} /> : null}
        {/* The line towards the next one. */}
        <span aria-hidden className="absolute inset-y-0 right-0 w-px bg-card" />
      </button>
    </div>
  );
});

function Fill(props: MemorySegmentProps) {
  switch (props.kind) {
    case 'model':
      return <Parts {...props} colour={modelColour(props.model ?? 0)} />;
    case 'predicted':
      return <Predicted {...props} colour={modelColour(props.model ?? 0)} />;
    case 'other':
      return (
        <span className="flex h-full items-center bg-side hatched">
          {props.share < NAMED_SHARE ? null : (
            <span className="ml-2 flex min-w-0 flex-col rounded-md bg-side/92 py-1 *:px-1.5">
              <Label {...props} />
            </span>
          )}
        </span>
      );
    case 'standby':
      return <span className="block h-full bg-edge" />;
    case 'reserved':
      return <span className="block h-full hatched-fine" />;
  }
}

interface Coloured extends MemorySegmentProps {
  readonly colour: string;
}

/** Weights solid, cache lighter, buffers and the process lightest; all of it pale where it would be unloaded. */
function Parts(props: Coloured) {
  const { colour, weights, cache, leaves } = props;
  const mix = (percent: number) => `color-mix(in srgb, ${colour} ${percent}%, var(--card))`;
  return (
    <span
      className={`flex h-full moves-width ${leaves ? 'opacity-30' : ''}`}
      style={{ backgroundColor: mix(32) }}
    >
      <span
        className="flex flex-col justify-center overflow-hidden"
        style={{ width: `${weights * 100}%`, backgroundColor: colour, color: 'var(--on-model)' }}
      >
        {leaves || props.share * weights < NAMED_SHARE ? null : <Label {...props} />}
      </span>
      <span style={{ width: `${cache * 100}%`, backgroundColor: mix(62) }} />
    </span>
  );
}

/** Of the bar: a name in less than this would be cut to a letter or two. */
export const NAMED_SHARE = 0.055;

/** Below the ghost that takes its place. */
function Leaving({ label, size }: { readonly label: string; readonly size: string }) {
  return (
    <span className="absolute inset-x-0 bottom-0 flex gap-1.5 px-2.5 pb-0.5 text-xs">
      <span className="truncate font-semibold line-through">{label}</span>{' '}
      <span className="truncate">{size}</span>
    </span>
  );
}

/** Only an outline as long as nothing is measured; what is loaded of it fills it from the left. */
function Predicted(props: Coloured) {
  const { colour, progress } = props;
  return (
    <span
      className="relative flex h-full flex-col justify-center rounded-[3px] border-2 border-dashed"
      style={{ borderColor: colour }}
    >
      <span
        className="absolute inset-0 origin-left moves"
        style={{
          transform: `scaleX(${progress})`,
          backgroundColor: `color-mix(in srgb, ${colour} 20%, transparent)`,
        }}
      />
      {props.share < NAMED_SHARE ? null : <Label {...props} />}
    </span>
  );
}

function Label(props: { readonly label: string; readonly size: string }) {
  return (
    <>
      <span className="relative truncate px-2.5 font-semibold leading-4">{props.label}</span>{' '}
      <span className="relative truncate px-2.5 text-xs leading-4">{props.size}</span>
    </>
  );
}
