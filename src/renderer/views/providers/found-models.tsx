import { useState } from 'react';
import type { RemoteModelView } from '../../../shared/provider-contract.ts';
import { Button } from '../../components/button.tsx';
import { Failure } from '../../components/failure.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { SidePanel } from '../../components/side-panel.tsx';
import { useReturnFocus } from '../../components/use-return-focus.ts';
import { plural } from '../../state/format.ts';
import { matchesText } from '../../state/match-text.ts';
import type { ProvidersPanel, RemoteList } from '../../state/providers-store.ts';
import { refOf } from '../../state/register-store.ts';
import { useProviders } from '../../state/services.tsx';
import { RemoteModelRow } from '../models/remote-model-row.tsx';

/** Some services have many hundreds: more are reached by searching. */
const MOST_SHOWN = 60;

/** What a provider says it has; any of it can be registered. */
export function FoundModels({ panel }: { readonly panel: Extract<ProvidersPanel, { kind: 'models' }> }) {
  const close = useProviders((state) => state.closePanel);
  useReturnFocus();
  return (
    <SidePanel label={`Models of ${panel.name}`} title={`Models of ${panel.name}`} onClose={close} takesFocus>
      <List name={panel.name} list={panel.list} />
    </SidePanel>
  );
}

function List({ name, list }: { readonly name: string; readonly list: RemoteList }) {
  const openModels = useProviders((state) => state.openModels);
  switch (list.status) {
    case 'loading':
      return <p className="mt-1 text-mute">Asking {name} for its models…</p>;
    case 'failed':
      return (
        <Failure
          error={list.error}
          action={{ label: 'Try again', onClick: () => void openModels(name) }}
          className="mt-2"
        />
      );
    case 'ready':
      return list.models.length === 0 ? (
        <p className="mt-1 text-mute">
          It names none. Any can still be asked for as{' '}
          <code className="font-mono text-sm wrap-anywhere">{name}/model</code>.
        </p>
      ) : (
        <Searched models={list.models} />
      );
  }
}

function Searched({ models }: { readonly models: readonly RemoteModelView[] }) {
  const [text, setText] = useState('');
  const matching = models.filter((model) => matchesText([model.remoteId, model.name], text));
  const shown = matching.slice(0, MOST_SHOWN);
  const words =
    text.trim() === '' ? plural(models.length, 'model') : `${matching.length} of ${models.length}`;
  return (
    <>
      <SearchField
        label="Search these models"
        placeholder={`Search ${plural(models.length, 'model')}`}
        value={text}
        onChange={setText}
        className="mt-2"
      />
      <p role="status" className="sr-only">
        {words}
      </p>
      {matching.length === 0 ? (
        <div className="mt-3 flex items-center justify-between gap-2">
          <p className="text-mute">None is called that.</p>
          <Button onClick={() => setText('')}>Show all</Button>
        </div>
      ) : null}
      <ul className="mt-2 flex flex-col">
        {shown.map((model) => (
          <RemoteModelRow key={refOf(model)} model={model} />
        ))}
      </ul>
      {matching.length > shown.length ? (
        <p className="mt-2 text-mute">
          {plural(matching.length - shown.length, 'more model')}: search to narrow them.
        </p>
      ) : null}
    </>
  );
}
