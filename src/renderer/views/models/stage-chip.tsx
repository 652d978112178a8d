import { Archive, FlaskConical, type LucideIcon, TriangleAlert } from 'lucide-react';
import type { Stage } from '../../../shared/capabilities.ts';

const LOOKS: Readonly<Record<Stage, { readonly icon: LucideIcon; readonly className: string } | null>> = {
  production: null,
  experimental: { icon: FlaskConical, className: 'text-mute' },
  staging: { icon: FlaskConical, className: 'text-mute' },
  deprecated: { icon: TriangleAlert, className: 'text-busy' },
  retired: { icon: Archive, className: 'text-bad' },
};

/** Where a model is in its life; nothing for one that is simply in use. */
export function StageChip({ stage }: { readonly stage: Stage }) {
  const look = LOOKS[stage];
  if (look === null) return null;
  return (
    <span
      className={`inline-flex shrink-0 items-center gap-1 whitespace-nowrap rounded-[5px] border border-line bg-card px-1.5 font-medium text-xs ${look.className}`}
    >
      <look.icon aria-hidden className="size-3" />
      {stage}
    </span>
  );
}
