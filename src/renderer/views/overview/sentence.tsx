import { splitAround } from './split-around.ts';

/** A sentence about a model, whose name stands out in it. */
export function Sentence({ text, modelId }: { readonly text: string; readonly modelId: string | null }) {
  const parts = splitAround(text, modelId);
  if (parts === null) return text;
  return (
    <>
      {parts.before}
      <b>{modelId}</b>
      {parts.after}
    </>
  );
}
