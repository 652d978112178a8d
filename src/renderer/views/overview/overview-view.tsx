import type { ModelView, Snapshot } from '../../../shared/contract.ts';
import { isResident } from '../../state/describe-model.ts';
import { useApp } from '../../state/services.tsx';
import { ConfigProblems } from '../models/config-problems.tsx';
import { NoModels } from '../models/no-models.tsx';
import { Decisions } from './decisions.tsx';
import { EngineGrid } from './engine-grid.tsx';
import { MemorySection } from './memory-section.tsx';
import { OnDisk } from './on-disk.tsx';
import { useCalm } from './use-calm.ts';

/** The machine at a glance: who holds its memory, what each engine does, what could be loaded, and why. */
export function OverviewView() {
  const snapshot = useApp((state) => state.snapshot);
  return snapshot === null ? <Waiting /> : <Machine snapshot={snapshot} />;
}

/** The bar follows each frame; what is text is drawn anew as often as it can be read. */
function Machine({ snapshot }: { readonly snapshot: Snapshot }) {
  const calm = useCalm(snapshot.models, snapshot.models.map(whatIsUrgent).join('\n'));
  const { server, memory, models, decisions } = snapshot;
  const stalls = memory.maxLoadedModels - calm.filter(isResident).length;
  return (
    <div className="flex flex-col gap-6 px-5 py-6 lg:px-7">
      <div className="flex items-baseline justify-between gap-4">
        <h1 className="font-semibold text-xl tracking-tight">Overview</h1>
        <p className="text-mute">{server.machine}</p>
      </div>
      <ConfigProblems server={server} />
      <MemorySection memory={memory} models={models} calm={calm} />
      {models.length === 0 ? <NoModels server={server} /> : <EngineGrid models={calm} stalls={stalls} />}
      <div className="grid gap-x-5 gap-y-6 lg:grid-cols-2">
        <OnDisk models={calm} />
        <Decisions decisions={decisions} />
      </div>
    </div>
  );
}

function whatIsUrgent({ id, state, pinned, idleUnloadAtMs }: ModelView): string {
  return [id, state.status, pinned, idleUnloadAtMs].join(' ');
}

function Waiting() {
  return (
    <div className="px-5 py-6 lg:px-7">
      <h1 className="font-semibold text-xl tracking-tight">Overview</h1>
      <p className="mt-6 text-mute">Asking the app what it holds…</p>
    </div>
  );
}
