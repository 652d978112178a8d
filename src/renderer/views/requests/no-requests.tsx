import { CodeBlock } from '../../components/code-block.tsx';
import { curlExample } from '../../state/asking.ts';
import { useApp } from '../../state/services.tsx';

/** Nothing was asked yet: how to ask. */
export function NoRequests() {
  const url = useApp((state) => state.snapshot?.server.url);
  return (
    <section
      aria-label="Requests"
      className="flex min-w-0 flex-col items-center self-start rounded-[10px] border border-edge border-dashed bg-card px-6 py-10 text-center"
    >
      <h2 className="font-semibold text-lg">No requests yet</h2>
      <p className="mt-1 mb-4 text-mute">
        Every answer is listed here as it ends: who asked, where it went and why, how long it took, what it
        cost.
      </p>
      {url === undefined ? null : <CodeBlock text={curlExample(url, 'auto')} name="Copy command" />}
      <p className="mt-4 text-mute">
        Or{' '}
        <a href="#/playground" className="font-medium text-accent underline underline-offset-2">
          ask something in the Playground
        </a>
        .
      </p>
    </section>
  );
}
