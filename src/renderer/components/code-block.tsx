import { CopyButton } from './copy-button.tsx';

/** Lines to be taken away: into a terminal or a file. `name` is the accessible name of the button that copies them. */
export function CodeBlock({ text, name }: { readonly text: string; readonly name: string }) {
  return (
    <div className="flex max-w-full items-start gap-1 rounded-md border border-line bg-page py-0.5 pr-0.5 pl-3 text-left">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0} className="min-w-0 flex-1 overflow-x-auto py-1.5 font-mono text-sm">
        {text}
      </pre>
      <CopyButton text={text} name={name} />
    </div>
  );
}
