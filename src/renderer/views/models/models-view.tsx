import { Plus } from 'lucide-react';
import { useEffect } from 'react';
import { Button } from '../../components/button.tsx';
import { isLocal } from '../../state/describe-model.ts';
import { filterModels, type PlacedModel } from '../../state/filter-models.ts';
import { plural } from '../../state/format.ts';
import { useAdd, useApp, useModels } from '../../state/services.tsx';
import { AddPanel } from '../add/add-panel.tsx';
import { CatalogFinds } from './catalog-finds.tsx';
import { ConfigProblems } from './config-problems.tsx';
import { ModelDetail } from './detail/model-detail.tsx';
import { ModelSearch } from './model-search.tsx';
import { ModelsTable } from './models-table.tsx';
import { NoModels } from './no-models.tsx';

/** Which models there are and how each is; beside them, what is being added. */
export function ModelsView() {
  const snapshot = useApp((state) => state.snapshot);
  const open = useAdd((state) => state.open);
  const adding = useAdd((state) => state.step.kind !== 'closed');
  const search = useModels((state) => state.search);
  const selected = useModels((state) => state.selected);
  const watch = useModels((state) => state.watch);
  useEffect(() => watch(), [watch]);
  if (snapshot === null) return <Waiting />;

  const { models, memory, server } = snapshot;
  const loaded = models.filter(
    (model) => isLocal(model) && (model.state.status === 'ready' || model.state.status === 'draining'),
  ).length;
  const detail = models.find(({ id }) => id === selected);
  const beside = adding || detail !== undefined;
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
        <div className={beside ? 'grid items-start gap-5 @min-[820px]:grid-cols-[minmax(0,1fr)_320px]' : ''}>
          {beside ? (
            <div className="flex min-w-0 flex-col gap-5 @min-[820px]:sticky @min-[820px]:top-6 @min-[820px]:max-h-[calc(100dvh-48px)] @min-[820px]:overflow-y-auto">
              {adding ? <AddPanel /> : null}
              {detail === undefined ? null : <ModelDetail key={detail.id} model={detail} />}
            </div>
          ) : null}
          <div className="min-w-0 @min-[820px]:order-first">
            <ModelSearch />
            <div className="mt-4">
              {models.length === 0 ? (
                <NoModels server={server} />
              ) : (
                <Matching models={filterModels(models, search)} />
              )}
            </div>
            <CatalogFinds />
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

function Matching({ models }: { readonly models: readonly PlacedModel[] }) {
  const clear = useModels((state) => state.clear);
  if (models.length > 0) return <ModelsTable models={models} />;
  return (
    <section
      aria-label="Models"
      className="flex flex-col items-center rounded-[10px] border border-edge border-dashed bg-card px-6 py-6 text-center"
    >
      <h2 className="font-semibold">No registered model is like this</h2>
      <p className="mt-1 text-mute">What is not known of a model counts as not given.</p>
      <Button className="mt-3" onClick={clear}>
        Show all models
      </Button>
    </section>
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
