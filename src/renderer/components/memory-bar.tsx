import { formatMemory } from '../state/format.ts';
import type { MemoryLayout, Segment, SegmentKind } from '../state/memory-layout.ts';
import { modelColour } from './model-colour.ts';

const GIB = 1024 ** 3;

const WORDS: Readonly<Record<SegmentKind, string>> = {
  other: 'the system and other programs',
  model: 'measured',
  predicted: 'predicted',
  standby: 'engine process waiting for the next load',
  reserved: 'promised beyond what was measured',
};

const LOOKS: Readonly<Record<SegmentKind, string>> = {
  other: 'hatched border-line border-r',
  model: 'border-card border-r',
  predicted: 'border-[1.5px] border-dashed',
  standby: 'bg-edge',
  reserved: 'hatched-fine',
};

/** All of the machine's memory to scale: who holds what, and where engines must stop. */
export function MemoryBar({ layout }: { readonly layout: MemoryLayout }) {
  const share = (bytes: number) => `${(100 * bytes) / layout.totalBytes}%`;
  const budgetAt = share(layout.limitBytes);
  return (
    <div className="pt-6">
      <div className="relative">
        <ul
          aria-label={`Memory, ${formatMemory(layout.totalBytes)}`}
          className="flex h-12 overflow-hidden rounded-lg border border-line bg-card"
        >
          {layout.segments.map((segment) => (
            <Stretch key={segment.key} segment={segment} width={share(segment.bytes)} />
          ))}
        </ul>
        <div
          aria-hidden
          className="absolute -inset-y-1.5 border-ink border-l-2"
          style={{ left: `min(${budgetAt}, calc(100% - 2px))` }}
        />
        <div
          className="absolute bottom-full mb-1.5 -translate-x-1/2 whitespace-nowrap text-mute text-xs"
          style={{ left: `clamp(48px, ${budgetAt}, calc(100% - 48px))` }}
        >
          budget {formatMemory(layout.budgetBytes)}
        </div>
      </div>
      <Scale totalBytes={layout.totalBytes} />
    </div>
  );
}

function Stretch({ segment, width }: { readonly segment: Segment; readonly width: string }) {
  const size = formatMemory(segment.bytes);
  const words = `${segment.label}: ${size}, ${WORDS[segment.kind]}`;
  const colour = segment.colour === null ? undefined : modelColour(segment.colour);
  return (
    <li
      title={words}
      className={`@container relative min-w-[3px] overflow-hidden transition-[width] duration-200 ${LOOKS[segment.kind]}`}
      style={{ width, ...paint(segment.kind, colour) }}
    >
      <span className="sr-only">{words}</span>
      {/* Where the name does not fit, the tooltip and the table below have it. */}
      <span aria-hidden className="hidden h-full flex-col justify-center px-2.5 @min-[64px]:flex">
        <span className="truncate font-semibold leading-4">{segment.label}</span>
        <span className="truncate text-xs leading-4">{size}</span>
      </span>
    </li>
  );
}

function paint(kind: SegmentKind, colour: string | undefined): Record<string, string> {
  if (colour === undefined) return {};
  return kind === 'predicted'
    ? { borderColor: colour, color: colour }
    : { backgroundColor: colour, color: 'var(--on-model)' };
}

function Scale({ totalBytes }: { readonly totalBytes: number }) {
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
}
