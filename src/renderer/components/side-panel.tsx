import { X } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { Button } from './button.tsx';

export interface SidePanelProps {
  /** Its accessible name. */
  readonly label: string;
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Takes the keyboard's focus when it appears; not beside a list that keeps it. */
  readonly takesFocus?: boolean;
  readonly className?: string;
}

/** What stands beside a list: one of its things in detail, or something to be added. Escape closes it. */
export function SidePanel(props: SidePanelProps) {
  const { label, title, onClose, takesFocus = false, className = '' } = props;
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    if (takesFocus) panel.current?.focus({ preventScroll: true });
  }, [takesFocus]);
  return (
    <section
      ref={panel}
      tabIndex={-1}
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return;
        event.stopPropagation();
        onClose();
      }}
      className={`animate-appear rounded-[10px] border border-line bg-card px-4 pt-2.5 pb-3.5 shadow-(--shade) ${className}`}
    >
      <div className="flex items-center gap-2">
        <h2 className="mr-auto min-w-0 truncate font-semibold">{title}</h2>
        <Button look="bare" shape="square" name="Close" title="Close" onClick={onClose} className="-mr-1.5">
          <X aria-hidden className="size-3.5" />
        </Button>
      </div>
      {props.children}
    </section>
  );
}
