/** Runs `task` once, soon: with the next frame, or without one where the page is not drawn. */
export type NextFrame = (task: () => void) => void;

/** A hidden page gets no frames; what it shows must still be true when it is looked at again. */
const HIDDEN_MS = 250;

export const browserFrames: NextFrame = (task) => {
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    task();
  };
  const frame = requestAnimationFrame(run);
  const timer = setTimeout(run, HIDDEN_MS);
};
