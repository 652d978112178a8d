import type { RemoteModelView } from '../../../shared/provider-contract.ts';
import { Button } from '../../components/button.tsx';
import { refOf } from '../../state/register-store.ts';
import { useApp, useProviders, useRegister } from '../../state/services.tsx';

/** Registers a remote model; where its provider is not there yet, leads to where that is added. */
export function RegisterButton({ model }: { readonly model: RemoteModelView }) {
  const register = useRegister((state) => state.register);
  const busy = useRegister((state) => state.busy[refOf(model)] === true);
  const openAdd = useProviders((state) => state.openAdd);
  const known = useApp(
    (state) => state.snapshot?.providers.some(({ name }) => name === model.provider) === true,
  );
  if (model.stage === 'retired') return null;
  if (!known) {
    return (
      <Button
        look="link"
        className="-mr-2.5"
        name={`Add ${model.provider} first, for ${model.name}`}
        onClick={() => {
          openAdd(model.provider);
          window.location.hash = '#/providers';
        }}
      >
        Add {model.provider} first
      </Button>
    );
  }
  return (
    <Button
      name={`${busy ? 'Adding' : 'Add'} ${model.name}`}
      disabled={busy}
      onClick={() => void register(model)}
    >
      {busy ? 'Adding' : 'Add'}
    </Button>
  );
}
