import { type RefObject, useLayoutEffect, useRef, useState } from 'react';

const NEAR_BOTTOM_PX = 32;

export interface StickToBottom {
  readonly box: RefObject<HTMLElement | null>;
  readonly onScroll: () => void;
  /** The reader has scrolled up from the newest text. */
  readonly away: boolean;
  readonly toBottom: () => void;
}

/**
 * Keeps a box at its end as `content` grows, until the reader scrolls up, and again once they are back at the end or
 * `turns` has changed: who asks wants to see the answer.
 */
export function useStickToBottom(content: unknown, turns: number): StickToBottom {
  const box = useRef<HTMLElement>(null);
  const [away, setAway] = useState(false);

  const toBottom = () => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  };
  const onScroll = () => {
    if (box.current === null) return;
    const { scrollHeight, scrollTop, clientHeight } = box.current;
    setAway(scrollHeight - scrollTop - clientHeight > NEAR_BOTTOM_PX);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the content has grown, not when the reader scrolls
  useLayoutEffect(() => {
    if (!away) toBottom();
  }, [content]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turns` is the occasion, not an input
  useLayoutEffect(() => {
    setAway(false);
    toBottom();
  }, [turns]);

  return { box, onScroll, away, toBottom };
}
