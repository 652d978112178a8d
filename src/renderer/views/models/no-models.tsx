import type { ServerView } from '../../../shared/contract.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { useAdd } from '../../state/services.tsx';

const COMMAND = 'npx roundhouse add FILE.gguf';

/** No model is registered: how to change that. */
export function NoModels({ server }: { readonly server: ServerView }) {
  const open = useAdd((state) => state.open);
  return (
    <section
      aria-label="Models"
      className="flex flex-col items-center rounded-[10px] border border-edge border-dashed bg-card px-6 py-10 text-center"
    >
      <h2 className="font-semibold text-lg">No models yet</h2>
      <p className="mt-1 text-mute">
        Drop a GGUF file anywhere in this window. Nothing is loaded before you ask for it.
      </p>
      <Button
        look="primary"
        className="mt-4"
        onClick={() => {
          open();
          window.location.hash = '#/models';
        }}
      >
        Add model
      </Button>
      <p className="mt-5 text-mute">Or from a terminal, for a file that is used where it lies:</p>
      <div className="mt-1.5 flex items-center gap-1 rounded-md border border-line bg-page py-0.5 pr-0.5 pl-3">
        <code className="font-mono text-sm">{COMMAND}</code>
        <CopyButton text={COMMAND} name="Copy command" />
      </div>
      <p className="mt-4 text-mute">
        Or write it into <code className="break-all font-mono text-sm">{server.configFile}</code>
      </p>
    </section>
  );
}
