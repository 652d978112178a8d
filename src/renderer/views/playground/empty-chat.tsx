import { Button } from '../../components/button.tsx';
import { useChat } from '../../state/services.tsx';

/** Answered also by the small demo model that comes with the app. */
const SUGGESTIONS = ['What is Roundhouse?', 'How does eviction work?', 'What is the KV cache?'];

export function EmptyChat() {
  const send = useChat((state) => state.send);
  const model = useChat((state) => state.model);
  return (
    <div className="mx-auto flex max-w-[720px] flex-col items-center pt-[16vh] text-center">
      <h2 className="font-semibold text-lg">Ask something</h2>
      <p className="mt-1 text-mute">
        Goes to <b className="text-ink">{model}</b>. A model that is not loaded is loaded first.
      </p>
      <div className="mt-5 flex flex-wrap justify-center gap-2">
        {SUGGESTIONS.map((suggestion) => (
          <Button key={suggestion} shape="pill" onClick={() => void send(suggestion)}>
            {suggestion}
          </Button>
        ))}
      </div>
    </div>
  );
}
