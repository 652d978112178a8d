import { useEffect, useRef } from 'react';
import type { ProviderView } from '../../../shared/provider-contract.ts';
import { Button } from '../../components/button.tsx';
import { useReturnFocus } from '../../components/use-return-focus.ts';
import { useProviders } from '../../state/services.tsx';

/** Whether a provider is really to go, and what hangs on it. */
export function RemoveForm({ provider }: { readonly provider: ProviderView }) {
  const { name, models } = provider;
  const first = useRef<HTMLButtonElement>(null);
  const remove = useProviders((state) => state.remove);
  const close = useProviders((state) => state.closeStep);
  const busy = useProviders((state) => state.busy[name] !== undefined);
  useReturnFocus();
  useEffect(() => first.current?.focus(), []);

  const needed = models.length > 0;
  return (
    <fieldset
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
      className="animate-appear mb-3 rounded-lg border border-line bg-page px-3 py-2.5"
    >
      <legend className="sr-only">Remove {name}</legend>
      <p>
        <b>{needed ? `${name} is needed.` : `Remove ${name}?`}</b>{' '}
        {needed ? (
          <>
            It runs <Names names={models} />. Take {models.length === 1 ? 'it' : 'them'} out of models.yaml
            first.
          </>
        ) : (
          'No registered model runs on it. It is taken out of models.yaml.'
        )}
      </p>
      <div className="mt-2.5 flex justify-end gap-2">
        <Button ref={first} onClick={close}>
          Keep it
        </Button>
        {needed ? null : (
          <Button look="primary" disabled={busy} onClick={() => void remove(name)}>
            {busy ? 'Removing' : `Remove ${name}`}
          </Button>
        )}
      </div>
    </fieldset>
  );
}

function Names({ names }: { readonly names: readonly string[] }) {
  return names.map((name, index) => (
    <span key={name}>
      {index === 0 ? '' : index === names.length - 1 ? ' and ' : ', '}
      <b>{name}</b>
    </span>
  ));
}
