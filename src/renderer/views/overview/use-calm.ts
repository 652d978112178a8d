import { useEffect, useRef, useState } from 'react';

/** Figures that change faster than this cannot be read. */
const CALM_MS = 250;

/**
 * `value`, at most four times a second; at once when `urgent` changes. For parts of the page that are text, while
 * others follow each frame.
 */
export function useCalm<Value>(value: Value, urgent: string): Value {
  const [shown, setShown] = useState({ value, urgent });
  const latest = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => {
    latest.current = value;
    timer.current ??= setTimeout(() => {
      timer.current = null;
      setShown((before) => (before.value === latest.current ? before : { ...before, value: latest.current }));
    }, CALM_MS);
  }, [value]);
  useEffect(
    () => () => {
      clearTimeout(timer.current ?? undefined);
      timer.current = null;
    },
    [],
  );
  if (shown.urgent !== urgent) {
    setShown({ value, urgent });
    return value;
  }
  return shown.value;
}
