import { SquarePen } from 'lucide-react';
import { useRef } from 'react';
import { Button } from '../../components/button.tsx';
import { useApp, useChat } from '../../state/services.tsx';
import { Composer } from './composer.tsx';
import { Conversation } from './conversation.tsx';
import { ModelPicker } from './model-picker.tsx';

/** A conversation with any name that the API takes. */
export function PlaygroundView() {
  const snapshot = useApp((state) => state.snapshot);
  const newChat = useChat((state) => state.newChat);
  const empty = useChat((state) => state.turns.length === 0);
  const messageBox = useRef<HTMLTextAreaElement>(null);

  const startAgain = () => {
    newChat();
    messageBox.current?.focus();
  };
  return (
    <div className="flex h-full flex-col">
      <div className="flex items-center justify-between gap-4 px-5 pt-6 pb-3 lg:px-7">
        <h1 className="font-semibold text-xl tracking-tight">Playground</h1>
        <div className="flex min-w-0 items-center gap-2">
          {snapshot === null ? null : <ModelPicker snapshot={snapshot} />}
          <Button name="New chat" title="New chat" disabled={empty} onClick={startAgain}>
            <SquarePen aria-hidden className="size-3.5" />
            New chat
          </Button>
        </div>
      </div>
      <Conversation onNewChat={startAgain} />
      <Composer messageBox={messageBox} />
    </div>
  );
}
