import { Plus } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { isLocal } from '../../state/describe-model.ts';
import { plural } from '../../state/format.ts';
import { useAdd, useApp } from '../../state/services.tsx';
import { AddPanel } from '../add/add-panel.tsx';
import { ConfigProblems } from './config-problems.tsx';
import { ModelsTable } from './models-table.tsx';
import { NoModels } from './no-models.tsx';

/** Which models there are and how each is; beside them, what is being added. */
export function ModelsView() {
  const snapshot = useApp((state) => state.snapshot);
  const open = useAdd((state) => state.open);
  const adding = useAdd((state) => state.step.kind !== 'closed');
  if (snapshot === null) return <Waiting />;

  const { models, memory, server } = snapshot;
  const loaded = models.filter(
    (model) => isLocal(model) && (model.state.status === 'ready' || model.state.status === 'draining'),
  ).length;
  return (
    <div className="flex flex-col gap-5 px-5 py-6 lg:px-7">
      <div className="flex items-center gap-4">
        <h1 className="mr-auto font-semibold text-xl tracking-tight">Models</h1>
        <p className="text-mute">
          {loaded} loaded, at most {memory.maxLoadedModels}
        </p>
        <Button look="primary" onClick={open}>
          <Plus aria-hidden className="size-3.5" />
          Add model
        </Button>
      </div>
      <ConfigProblems server={server} />
      <div className="@container">
        <div className={adding ? 'grid items-start gap-5 @min-[820px]:grid-cols-[minmax(0,1fr)_320px]' : ''}>
          {adding ? <AddPanel /> : null}
          <div className="@min-[820px]:order-first">
            {models.length === 0 ? <NoModels server={server} /> : <ModelsTable models={models} />}
            {models.length === 0 ? null : (
              <p className="mt-4 text-mute">Drop GGUF files anywhere in this window.</p>
            )}
          </div>
        </div>
      </div>
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
