import { useEffect, useRef, useState } from 'react';
import type { MemoryLayout } from '../../state/memory-layout.ts';

/** Of the bar: what moves by less needs no animation to be followed. */
const JUMP = 0.008;
/** A little longer than the animation. */
const GLIDE_MS = 250;

/**
 * Whether the bar should animate to its new places. Only for jumps: numbers that creep sixty times a second move
 * smoothly by themselves, and animating each step would cost more than all else on the page.
 */
export function useGlide(layout: MemoryLayout): boolean {
  const before = useRef(layout);
  const [gliding, setGliding] = useState(false);
  const jumps = jumped(before.current, layout);
  useEffect(() => {
    before.current = layout;
    if (jumps) setGliding(true);
  }, [layout, jumps]);
  useEffect(() => {
    if (!gliding) return;
    const timer = setTimeout(() => setGliding(false), GLIDE_MS);
    return () => clearTimeout(timer);
  }, [gliding]);
  return jumps || gliding;
}

function jumped(before: MemoryLayout, now: MemoryLayout): boolean {
  if (before === now) return false;
  if (before.segments.length !== now.segments.length || before.ghost !== now.ghost) return true;
  if (Math.abs(before.limit - now.limit) > JUMP) return true;
  return now.segments.some((segment, index) => {
    const old = before.segments[index];
    return (
      old === undefined ||
      old.id !== segment.id ||
      Math.abs(old.start - segment.start) > JUMP ||
      Math.abs(old.share - segment.share) > JUMP
    );
  });
}
