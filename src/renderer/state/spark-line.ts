/** Points of a line through `samples` (newest last) in a box, as SVG writes them; the newest stands at its right. */
export function sparkPoints(
  samples: readonly number[],
  most: number,
  box: { readonly width: number; readonly height: number },
): string {
  const highest = Math.max(1, ...samples) * 1.1;
  const step = box.width / (most - 1);
  const from = box.width - (samples.length - 1) * step;
  return samples
    .map((sample, index) => {
      const x = from + index * step;
      const y = box.height * (1 - sample / highest);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}
