import { Failure } from '../../components/failure.tsx';
import { isSearching } from '../../state/filter-models.ts';
import { plural } from '../../state/format.ts';
import { refOf } from '../../state/register-store.ts';
import { useApp, useModels } from '../../state/services.tsx';
import { RemoteModelRow } from './remote-model-row.tsx';

/** What is looked for among the models of the catalog and of the providers that are not registered. */
export function CatalogFinds() {
  const searching = useModels((state) => isSearching(state.search));
  const found = useModels((state) => state.found);
  const again = useModels((state) => state.searchAgain);
  const registered = useApp((state) => state.snapshot?.models);
  if (!searching) return null;

  const known = new Set(registered?.map(({ provider, remoteId }) => `${provider}/${remoteId}`));
  const models = found.models.filter((model) => model.registeredAs === null && !known.has(refOf(model)));
  return (
    <section aria-label="Not registered yet" className="mt-7">
      <div className="mb-1 flex items-baseline gap-2">
        <h2 className="font-semibold text-lg">Not registered yet</h2>
        <p role="status" className="text-mute">
          {found.status === 'loading' ? 'looking…' : plural(models.length, 'model')}
        </p>
      </div>
      {found.error === null ? null : (
        <Failure error={found.error} action={{ label: 'Try again', onClick: () => void again() }} />
      )}
      {found.status === 'ready' && models.length === 0 ? (
        <p className="text-mute">
          Neither the catalog nor a provider has another one like this. A name that nobody lists can still be
          asked for as <code className="font-mono text-sm">provider/model</code>.
        </p>
      ) : null}
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(340px,100%),1fr))] gap-x-8">
        {models.map((model) => (
          <RemoteModelRow key={refOf(model)} model={model} withProvider />
        ))}
      </ul>
    </section>
  );
}
