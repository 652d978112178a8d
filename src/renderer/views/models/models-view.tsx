import { plural } from '../../state/format.ts';
import { useApp } from '../../state/services.tsx';
import { ConfigProblems } from './config-problems.tsx';
import { Decisions } from './decisions.tsx';
import { MemorySummary } from './memory-summary.tsx';
import { ModelsTable } from './models-table.tsx';
import { NoModels } from './no-models.tsx';

/** Which models there are, how each is, what they take of the memory, and why. */
export function ModelsView() {
  const snapshot = useApp((state) => state.snapshot);
  if (snapshot === null) return <Waiting />;

  const { models, memory, server } = snapshot;
  const loaded = models.filter(
    (model) => model.state.status === 'ready' || model.state.status === 'draining',
  ).length;
  return (
    <div className="flex flex-col gap-6 px-5 py-6 lg:px-7">
      <div className="flex items-baseline justify-between gap-4">
        <h1 className="font-semibold text-xl tracking-tight">Models</h1>
        <p className="text-mute">
          {server.machine} · {loaded} loaded, at most {memory.maxLoadedModels}
        </p>
      </div>
      <ConfigProblems server={server} />
      <MemorySummary memory={memory} models={models} />
      {models.length === 0 ? <NoModels server={server} /> : <ModelsTable models={models} />}
      <Decisions decisions={snapshot.decisions} />
      <p className="sr-only" role="status">
        {plural(loaded, 'model')} loaded
      </p>
    </div>
  );
}

function Waiting() {
  return (
    <div className="px-5 py-6 lg:px-7">
      <h1 className="font-semibold text-xl tracking-tight">Models</h1>
      <p className="mt-6 text-mute">Asking the app for its models…</p>
    </div>
  );
}
