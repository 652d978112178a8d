import { useEffect, useRef, useState } from 'react';
import type { ProviderView } from '../../../shared/provider-contract.ts';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/text-field.tsx';
import { useReturnFocus } from '../../components/use-return-focus.ts';
import { useProviders } from '../../state/services.tsx';

/** A field for a key. What is typed goes to the app when it is saved, and stays nowhere in the page. */
export function KeyForm({ provider }: { readonly provider: ProviderView }) {
  const { name, key } = provider;
  const [apiKey, setApiKey] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const setKey = useProviders((state) => state.setKey);
  const close = useProviders((state) => state.closeStep);
  const busy = useProviders((state) => state.busy[name] !== undefined);
  useReturnFocus();
  useEffect(() => field.current?.focus(), []);

  const usable = apiKey.trim() !== '';
  return (
    <form
      aria-label={`Key of ${name}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (usable && !busy) void setKey(name, apiKey.trim());
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
      className="animate-appear mb-3 rounded-lg border border-line bg-page px-3 py-2.5"
    >
      <TextField
        ref={field}
        type="password"
        label={key.state === 'set' ? 'New key' : 'Key'}
        value={apiKey}
        onChange={setApiKey}
        hint="Kept apart from models.yaml, and never shown again."
      />
      <div className="mt-2.5 flex gap-2">
        {key.state === 'set' ? (
          <Button look="link" disabled={busy} onClick={() => void setKey(name, null)} className="-ml-2.5">
            Forget key
          </Button>
        ) : null}
        <Button className="ml-auto" onClick={close}>
          Cancel
        </Button>
        <Button look="primary" submits disabled={!usable || busy}>
          Save key
        </Button>
      </div>
    </form>
  );
}
