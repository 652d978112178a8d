import { Button } from '../../components/button.tsx';
import { useApp, useProviders } from '../../state/services.tsx';

/** Nothing elsewhere is asked yet: how to change that, and that nothing has to be. */
export function NoProviders() {
  const openAdd = useProviders((state) => state.openAdd);
  const configFile = useApp((state) => state.snapshot?.server.configFile);
  return (
    <section
      aria-label="Providers"
      className="flex flex-col items-center rounded-[10px] border border-edge border-dashed bg-card px-6 py-10 text-center"
    >
      <h2 className="font-semibold text-lg">No providers yet</h2>
      <p className="mt-1 max-w-[60ch] text-mute">
        Add OpenAI, Anthropic, Google, OpenRouter, Groq, or another server that speaks their protocol, and its
        models answer at the same address as those that run here. A mock needs no key.
      </p>
      <Button look="primary" className="mt-4" onClick={() => openAdd()}>
        Add provider
      </Button>
      {configFile === undefined ? null : (
        <p className="mt-5 text-mute">
          Or write it into <code className="break-all font-mono text-sm">{configFile}</code>
        </p>
      )}
    </section>
  );
}
