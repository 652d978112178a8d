import { Select } from '@base-ui/react/select';
import { type ReactNode, useRef } from 'react';

export interface SelectListProps {
  /** Which edge it shares with what opens it. */
  readonly align: 'start' | 'end';
  /** How wide it is at least, as a class. */
  readonly width: string;
  readonly children: ReactNode;
}

/** What a menu of choices opens. */
export function SelectList({ align, width, children }: SelectListProps) {
  // The list is put inside the page's main part, not after it: it belongs to that landmark.
  const place = useRef<HTMLDivElement>(null);
  return (
    <>
      {/* Out of the row's flow, so that it takes no gap. */}
      <div ref={place} className="absolute" />
      <Select.Portal container={place}>
        <Select.Positioner
          positionMethod="fixed"
          align={align}
          sideOffset={4}
          alignItemWithTrigger={false}
          className="z-10 select-none outline-none"
        >
          <Select.Popup
            className={`max-h-(--available-height) ${width} overflow-y-auto rounded-lg border border-line bg-card p-1 shadow-(--shade-high) outline-none transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0`}
          >
            {children}
          </Select.Popup>
        </Select.Positioner>
      </Select.Portal>
    </>
  );
}
