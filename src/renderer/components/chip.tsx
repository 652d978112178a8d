import type { ReactNode } from 'react';

/** A small word about something: an alias, a tier. */
export function Chip(props: { readonly children: ReactNode; readonly title?: string }) {
  return (
    <span
      title={props.title}
      className="inline-block whitespace-nowrap rounded-[5px] border border-line bg-card px-1.5 text-mute text-xs"
    >
      {props.children}
    </span>
  );
}
