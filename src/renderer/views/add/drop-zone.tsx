import { FileDown } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useAdd, useApp } from '../../state/services.tsx';

/** Takes files that are dropped anywhere in the window, and says so while they are dragged over it. */
export function DropZone() {
  const [over, setOver] = useState(false);
  const addFiles = useAdd((state) => state.addFiles);
  const desktop = useApp((state) => state.snapshot?.server.shell === 'desktop');

  useEffect(() => {
    // Elements inside the window are entered before others are left: only as many leaves as enters are the end.
    let depth = 0;
    const move = (steps: number) => {
      depth = Math.max(0, depth + steps);
      setOver(depth > 0);
    };
    const withFiles = (run: (transfer: DataTransfer) => void) => (event: DragEvent) => {
      const transfer = event.dataTransfer;
      if (transfer === null || !transfer.types.includes('Files')) return;
      // Otherwise the browser would open the file in place of the page.
      event.preventDefault();
      run(transfer);
    };
    const stop = new AbortController();
    const { signal } = stop;
    window.addEventListener(
      'dragenter',
      withFiles(() => move(1)),
      { signal },
    );
    window.addEventListener(
      'dragleave',
      withFiles(() => move(-1)),
      { signal },
    );
    window.addEventListener(
      'dragover',
      withFiles((transfer) => {
        transfer.dropEffect = 'copy';
      }),
      { signal },
    );
    window.addEventListener(
      'drop',
      withFiles((transfer) => {
        move(-depth);
        addFiles([...transfer.files]);
        window.location.hash = '#/models';
      }),
      { signal },
    );
    return () => stop.abort();
  }, [addFiles]);

  if (!over) return null;
  return (
    <section
      aria-label="Drop files"
      data-testid="drop-overlay"
      className="pointer-events-none fixed inset-0 z-20 flex animate-appear items-center justify-center bg-page/80 p-4 backdrop-blur-[2px]"
    >
      <div className="absolute inset-3 rounded-2xl border-2 border-accent border-dashed bg-accent/6" />
      <div className="relative flex flex-col items-center rounded-xl border border-line bg-card px-10 py-7 text-center shadow-(--shade-high)">
        <FileDown aria-hidden className="size-8 stroke-[1.5] text-accent" />
        <p className="mt-3 font-semibold text-lg">Drop GGUF files to add them</p>
        <p className="mt-0.5 text-mute">
          {desktop
            ? 'They stay where they lie. You see what each takes before it is added.'
            : 'You see what each takes before it is added.'}
        </p>
      </div>
    </section>
  );
}
