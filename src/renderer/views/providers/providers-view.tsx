import { Plus } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { plural } from '../../state/format.ts';
import { useApp, useProviders } from '../../state/services.tsx';
import { AddProvider } from './add-provider.tsx';
import { FoundModels } from './found-models.tsx';
import { NoProviders } from './no-providers.tsx';
import { ProviderCard } from './provider-card.tsx';

/** The services that can be asked, and how each is; beside them, one being added, or the models of one. */
export function ProvidersView() {
  const providers = useApp((state) => state.snapshot?.providers);
  const panel = useProviders((state) => state.panel);
  const openAdd = useProviders((state) => state.openAdd);
  if (providers === undefined) {
    return (
      <div className="px-5 py-6 lg:px-7">
        <h1 className="font-semibold text-xl tracking-tight">Providers</h1>
        <p className="mt-6 text-mute">Asking the app for its providers…</p>
      </div>
    );
  }
  const answering = providers.filter(({ health }) => health.status === 'ok').length;
  const open = panel.kind !== 'closed';
  return (
    <div className="flex flex-col gap-5 px-5 py-6 lg:px-7">
      <div className="flex items-center gap-4">
        <h1 className="mr-auto font-semibold text-xl tracking-tight">Providers</h1>
        {providers.length === 0 ? null : (
          <p className="text-mute">
            {answering} of {plural(providers.length, 'provider')} answer{providers.length === 1 ? 's' : ''}
          </p>
        )}
        <Button look="primary" onClick={() => openAdd()}>
          <Plus aria-hidden className="size-3.5" />
          Add provider
        </Button>
      </div>
      <div className="@container">
        <div className={open ? 'grid items-start gap-5 @min-[720px]:grid-cols-[minmax(0,1fr)_340px]' : ''}>
          {panel.kind === 'add' ? (
            <AddProvider panel={panel} taken={providers.map(({ name }) => name)} />
          ) : null}
          {panel.kind === 'models' ? <FoundModels key={panel.name} panel={panel} /> : null}
          <div className="@min-[720px]:order-first">
            {providers.length === 0 ? (
              <NoProviders />
            ) : (
              <section
                aria-label="Providers"
                className="grid grid-cols-[repeat(auto-fill,minmax(min(300px,100%),1fr))] gap-3"
              >
                {providers.map((provider) => (
                  <ProviderCard key={provider.name} provider={provider} />
                ))}
              </section>
            )}
          </div>
        </div>
      </div>
    </div>
  );
}
