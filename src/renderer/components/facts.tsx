import type { ReactNode } from 'react';

/** Pairs of a name and a value, below each other. */
export function Facts(props: { readonly children: ReactNode; readonly className?: string }) {
  return <dl className={`flex flex-col gap-1.5 ${props.className ?? ''}`}>{props.children}</dl>;
}

export interface FactProps {
  readonly label: string;
  readonly children: ReactNode;
  readonly title?: string | undefined;
}

export function Fact({ label, children, title }: FactProps) {
  return (
    <div className="flex justify-between gap-4" title={title}>
      <dt className="shrink-0 text-mute">{label}</dt>
      <dd className="min-w-0 text-right wrap-anywhere">{children}</dd>
    </div>
  );
}
