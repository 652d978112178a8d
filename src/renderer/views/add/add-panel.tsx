import { X } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { assertNever } from '../../../shared/assert-never.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { Words } from '../../components/words.tsx';
import type { AddStep } from '../../state/add-store.ts';
import { useAdd } from '../../state/services.tsx';
import { ChooseFile } from './choose-file.tsx';
import { ReadyToAdd } from './ready-to-add.tsx';
import { Sending } from './sending.tsx';

/** What is being added, one file after the other. */
export function AddPanel() {
  const step = useAdd((state) => state.step);
  const place = useAdd((state) => state.place);
  const count = useAdd((state) => state.count);
  const skip = useAdd((state) => state.skip);
  const panel = useRef<HTMLElement>(null);
  useEffect(() => panel.current?.focus({ preventScroll: true }), []);

  return (
    <section
      ref={panel}
      tabIndex={-1}
      aria-label="Add model"
      onKeyDown={(event) => {
        if (event.key === 'Escape') skip();
      }}
      className="animate-appear rounded-[10px] border border-line bg-card px-4 pt-2.5 pb-3.5 shadow-(--shade)"
    >
      <div className="flex items-center gap-2">
        <h2 className="mr-auto min-w-0 truncate font-semibold">{titleOf(step)}</h2>
        {count > 1 ? (
          <span className="whitespace-nowrap text-mute">
            {place} of {count}
          </span>
        ) : null}
        <Button
          look="bare"
          shape="square"
          name={place < count ? 'Skip this file' : 'Close'}
          title={place < count ? 'Skip this file' : 'Close'}
          onClick={skip}
          className="-mr-1.5"
        >
          <X aria-hidden className="size-3.5" />
        </Button>
      </div>
      <Step step={step} />
    </section>
  );
}

function titleOf(step: AddStep): string {
  if (step.kind === 'ready') return `Add ${step.estimate.name ?? step.estimate.suggestedId}`;
  return 'Add a model';
}

function Step({ step }: { readonly step: AddStep }): ReactNode {
  switch (step.kind) {
    case 'closed':
      return null;
    case 'choosing':
      return <ChooseFile />;
    case 'locating':
      return <Sending name={step.name} sizeBytes={step.sizeBytes} sentBytes={step.sentBytes} />;
    case 'reading':
      return <p className="mt-1 text-mute wrap-anywhere">Reading the header of {step.path}…</p>;
    case 'ready':
      return <ReadyToAdd step={step} />;
    case 'failed':
      return <Failed name={step.name} message={step.error.message} />;
    default:
      return assertNever(step);
  }
}

function Failed({ name, message }: { readonly name: string; readonly message: string }) {
  const last = useAdd((state) => state.place >= state.count);
  const skip = useAdd((state) => state.skip);
  return (
    <>
      <p className="truncate text-mute" title={name}>
        {name}
      </p>
      <Notice tone="bad" alert className="mt-2.5 rounded-lg border border-line bg-bad-soft px-3 py-2">
        <p className="wrap-anywhere">
          <Words text={message} />
        </p>
      </Notice>
      {last ? (
        <div className="mt-3">
          <ChooseFile />
        </div>
      ) : (
        <div className="mt-3 flex justify-end">
          <Button look="primary" onClick={skip}>
            Go on with the next
          </Button>
        </div>
      )}
    </>
  );
}
