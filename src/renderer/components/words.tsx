/** A sentence of the app's, in which `backticks` mark what is to be typed or found in a file. */
export function Words({ text }: { readonly text: string }) {
  // The pattern has a group: every second part stood between backticks.
  const parts = text.split(/`([^`\n]+)`/);
  return parts.map((part, place) => {
    const key = `${place}:${part}`;
    return place % 2 === 0 ? (
      <span key={key}>{part}</span>
    ) : (
      <code key={key} className="rounded-sm bg-ink/6 px-1 font-mono text-sm wrap-anywhere">
        {part}
      </code>
    );
  });
}
