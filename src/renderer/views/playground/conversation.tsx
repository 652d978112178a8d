import { ArrowDown } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { isAnswering } from '../../state/chat-store.ts';
import { useChat } from '../../state/services.tsx';
import { EmptyChat } from './empty-chat.tsx';
import { TurnView } from './turn-view.tsx';
import { useStickToBottom } from './use-stick-to-bottom.ts';

/** The turns so far. Stays at the newest text unless the reader has scrolled up. */
export function Conversation({ onNewChat }: { readonly onNewChat: () => void }) {
  const turns = useChat((state) => state.turns);
  const answering = useChat(isAnswering);
  const scroll = useStickToBottom(turns, turns.length);
  return (
    <div className="relative min-h-0 flex-1">
      <section
        ref={scroll.box}
        onScroll={scroll.onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label="Conversation"
        className="h-full overflow-y-auto px-5 -outline-offset-2 lg:px-7"
      >
        {turns.length === 0 ? <EmptyChat /> : null}
        <div
          role="log"
          aria-live="polite"
          aria-busy={answering}
          className="mx-auto flex max-w-[720px] flex-col gap-6 py-3"
        >
          {turns.map((turn, index) => (
            <TurnView key={turn.id} turn={turn} last={index === turns.length - 1} onNewChat={onNewChat} />
          ))}
        </div>
      </section>
      {scroll.away ? (
        <Button
          shape="pill"
          className="-translate-x-1/2 absolute bottom-2 left-1/2"
          onClick={scroll.toBottom}
        >
          <ArrowDown aria-hidden className="size-3.5" />
          Latest
        </Button>
      ) : null}
    </div>
  );
}
