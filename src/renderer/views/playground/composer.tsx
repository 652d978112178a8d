import { ArrowUp, Square } from 'lucide-react';
import { type KeyboardEvent, type RefObject, useLayoutEffect, useState } from 'react';
import { Button } from '../../components/button.tsx';
import { isAnswering } from '../../state/chat-store.ts';
import { useChat } from '../../state/services.tsx';

/** Where the next question is written. Enter sends, Shift+Enter adds a line, Escape stops the answer. */
export function Composer({ messageBox }: { readonly messageBox: RefObject<HTMLTextAreaElement | null> }) {
  const [text, setText] = useState('');
  const answering = useChat(isAnswering);
  const send = useChat((state) => state.send);
  const stop = useChat((state) => state.stop);

  // The box grows with its text. `field-sizing: content` would do it, but not every browser knows it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const box = messageBox.current;
    if (box === null) return;
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight}px`;
  }, [text]);

  const submit = () => {
    if (answering || text.trim() === '') return;
    setText('');
    void send(text);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && answering) stop();
    // While an input method composes, Enter picks its suggestion.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  return (
    <div className="px-5 pt-2 pb-4 lg:px-7">
      <div className="mx-auto max-w-[720px]">
        <div className="flex items-end gap-2 rounded-xl border border-edge bg-field p-2 shadow-(--shade) focus-within:border-accent focus-within:outline-1 focus-within:outline-accent">
          <textarea
            ref={messageBox}
            aria-label="Message"
            aria-describedby="composer-keys"
            placeholder="Write a message"
            rows={1}
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
            className="max-h-48 min-h-7 flex-1 resize-none bg-transparent px-1.5 py-1 text-[14px] leading-5 outline-none"
          />
          {/* One button for both, so that it keeps the keyboard's focus. */}
          {answering ? (
            <Button key="send" onClick={stop}>
              <Square aria-hidden className="size-3 fill-current" />
              Stop
            </Button>
          ) : (
            <Button key="send" look="primary" disabled={text.trim() === ''} onClick={submit}>
              <ArrowUp aria-hidden className="size-3.5" />
              Send
            </Button>
          )}
        </div>
        <p id="composer-keys" className="mt-1.5 px-1 text-mute text-xs">
          Enter sends · Shift+Enter adds a line · Esc stops
        </p>
      </div>
    </div>
  );
}
