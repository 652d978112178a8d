import type { RemoteModelView } from '../../../shared/provider-contract.ts';
import { useApp } from '../../state/services.tsx';

/** Under which id a remote model is registered, also since its list was asked for; `null` when it is not. */
export function useRegisteredId({ provider, remoteId, registeredAs }: RemoteModelView): string | null {
  const now = useApp(
    (state) =>
      state.snapshot?.models.find((model) => model.provider === provider && model.remoteId === remoteId)?.id,
  );
  return now ?? registeredAs;
}
