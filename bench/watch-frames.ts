import { checkBound, median, quantile } from './figures.ts';

/** What a page drew in some seconds. */
export interface Frames {
  readonly gapsMs: readonly number[];
  readonly longTasksMs: readonly number[];
}

/** Run in a page: notes the time between frames for `ms`, and tasks that kept the page from drawing for more than 50 ms. */
export const WATCH = `(ms) => new Promise((resolve) => {
  const gapsMs = [], longTasksMs = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longTasksMs.push(entry.duration);
  });
  observer.observe({ entryTypes: ['longtask'] });
  const begun = performance.now();
  let last = null;
  const frame = (now) => {
    if (last !== null) gapsMs.push(now - last);
    last = now;
    if (performance.now() - begun < ms) requestAnimationFrame(frame);
    else { observer.disconnect(); resolve({ gapsMs, longTasksMs }); }
  };
  requestAnimationFrame(frame);
})`;

/**
 * Judged against the same page at rest in the same run, because a browser without a GPU on a shared machine has a pace of
 * its own.
 * @param doing what the page did while it was busy, in a word
 * @param aside what it did it with
 */
export function reportFrames(idle: Frames, busy: Frames, doing: string, aside: string): void {
  const fps = ({ gapsMs }: Frames) => (1000 * gapsMs.length) / gapsMs.reduce((sum, gap) => sum + gap, 0);
  const frameMs = median(idle.gapsMs);
  const inTime = ({ gapsMs }: Frames) => gapsMs.filter((gap) => gap <= 1.5 * frameMs).length / gapsMs.length;
  console.log(`at rest:   ${fps(idle).toFixed(1)} fps, median frame ${frameMs.toFixed(1)} ms`);
  console.log(
    `${doing}: ${fps(busy).toFixed(1)} fps, median frame ${median(busy.gapsMs).toFixed(1)} ms, p99 ${quantile(busy.gapsMs, 0.99).toFixed(1)} ms, ${aside}`,
  );
  console.log(
    `frames within 1.5 × of a frame at rest: ${(100 * inTime(idle)).toFixed(1)} % at rest, ${(100 * inTime(busy)).toFixed(1)} % ${doing}`,
  );
  const long = busy.longTasksMs;
  console.log(
    `tasks over 50 ms: ${idle.longTasksMs.length} at rest, ${long.length} ${doing}${long.length === 0 ? '' : `, the longest ${Math.max(...long).toFixed(0)} ms`}`,
  );
  checkBound(`frames a second, ${doing} to at rest`, fps(busy) / fps(idle), 0.95, 'at least');
}
