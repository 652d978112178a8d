import type { ReactNode } from 'react';

/** A part of the detail under its own heading. */
export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <>
      <h3 className="mt-4 mb-1.5 border-line border-t pt-3 font-semibold">{title}</h3>
      {children}
    </>
  );
}
