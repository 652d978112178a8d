import { useEffect } from 'react';
import { DropZone } from './add/drop-zone.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { useHashRoute } from './hash-route.ts';
import { Sidebar } from './sidebar.tsx';
import { viewOf } from './views.ts';

/** Sidebar and the view that the address names. */
export function Shell() {
  const view = viewOf(useHashRoute());
  useEffect(() => {
    document.title = `${view.label} · Roundhouse`;
  }, [view.label]);

  return (
    <div className="grid h-full grid-cols-[56px_minmax(0,1fr)] md:grid-cols-[172px_minmax(0,1fr)] lg:grid-cols-[196px_minmax(0,1fr)]">
      <Sidebar current={view} />
      <div className="flex min-h-0 flex-col">
        <ConnectionBanner />
        <main className="min-h-0 flex-1 overflow-y-auto">
          <view.component />
        </main>
      </div>
      <DropZone />
    </div>
  );
}
