import { memo } from 'react';
import type { ErrorJson } from '../../../shared/errors.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { Words } from '../../components/words.tsx';
import type { Turn } from '../../state/chat-store.ts';
import { describeTurn } from '../../state/describe-turn.ts';
import { remedyOf } from '../../state/remedy.ts';
import { useChat } from '../../state/services.tsx';
import { WaitingLine } from './waiting-line.tsx';

export interface TurnViewProps {
  readonly turn: Turn;
  /** Only the last turn can be asked again. */
  readonly last: boolean;
  readonly onNewChat: () => void;
}

/** A question, its answer as far as it has come, and how it went. Memoised: only the last one changes. */
export const TurnView = memo(function TurnView({ turn, last, onNewChat }: TurnViewProps) {
  const facts = describeTurn(turn);
  return (
    <article className="flex flex-col gap-3">
      <p className="ml-auto max-w-[85%] whitespace-pre-wrap rounded-2xl rounded-br-md border border-line bg-card px-3.5 py-2 wrap-anywhere">
        <span className="sr-only">You: </span>
        {turn.question}
      </p>
      <div className="max-w-full">
        <div className="mb-0.5 font-semibold text-mute text-sm">{turn.model}</div>
        {turn.state.status === 'waiting' ? <WaitingLine model={turn.model} /> : null}
        {turn.answer === '' ? null : (
          <div data-testid="answer" className="whitespace-pre-wrap text-[14px] leading-[22px] wrap-anywhere">
            {turn.answer}
            {turn.state.status === 'answering' ? <Caret /> : null}
          </div>
        )}
        {turn.state.status === 'failed' ? (
          <Failure error={turn.state.error} last={last} onNewChat={onNewChat} />
        ) : null}
        {facts.length === 0 ? null : (
          <ul className="mt-1.5 flex flex-wrap text-mute text-sm [&>li+li]:before:mx-1.5 [&>li+li]:before:content-['·']">
            {facts.map((fact) => (
              <li key={fact}>{fact}</li>
            ))}
          </ul>
        )}
      </div>
    </article>
  );
});

function Caret() {
  return (
    <span
      aria-hidden
      className="ml-0.5 inline-block h-[15px] w-[3px] translate-y-[2px] animate-pulse rounded-full bg-accent"
    />
  );
}

interface FailureProps {
  readonly error: ErrorJson;
  readonly last: boolean;
  readonly onNewChat: () => void;
}

function Failure({ error, last, onNewChat }: FailureProps) {
  const retry = useChat((state) => state.retry);
  const remedy = remedyOf(error.code);
  return (
    <Notice tone="bad" className="mt-1.5 rounded-lg border border-line bg-bad-soft px-3.5 py-2.5">
      <p className="wrap-anywhere">
        <Words text={error.message} />
      </p>
      {last ? (
        <div className="mt-2">
          <RemedyButton remedy={remedy} onRetry={() => void retry()} onNewChat={onNewChat} />
        </div>
      ) : null}
    </Notice>
  );
}

function RemedyButton(props: {
  readonly remedy: ReturnType<typeof remedyOf>;
  readonly onRetry: () => void;
  readonly onNewChat: () => void;
}) {
  switch (props.remedy) {
    case 'retry':
      return <Button onClick={props.onRetry}>Try again</Button>;
    case 'new-chat':
      return <Button onClick={props.onNewChat}>Start a new chat</Button>;
    case 'models':
      return (
        <a href="#/models" className="font-medium text-accent underline underline-offset-2">
          Go to Models
        </a>
      );
  }
}
