import { describeState } from '../../state/describe-model.ts';
import { useApp } from '../../state/services.tsx';

/** What an answer waits for: the load, as far as it has come, where the name is a model's own. */
export function WaitingLine({ model }: { readonly model: string }) {
  const asked = useApp((state) => state.snapshot?.models.find((other) => other.id === model));
  const loading = asked?.state.status === 'loading' ? `, ${describeState(asked).text}` : '';
  return <p className="animate-pulse text-mute">Waiting for the first token{loading}…</p>;
}
