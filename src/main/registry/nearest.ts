import { distance } from 'fastest-levenshtein';

/** The names most like a wrong one, best first, at most `count`; capitals aside. */
export function nearestNames(wrong: string, names: readonly string[], count: number): readonly string[] {
  const asked = wrong.toLowerCase();
  return names
    .map((name) => ({ name, edits: distance(asked, name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, count)
    .map(({ name }) => name);
}

/** The name that a wrong one was surely meant to be: at most about a third of its letters differ. Else `null`. */
export function likelyName(wrong: string, names: readonly string[]): string | null {
  const near = nearestNames(wrong, names, 1)[0];
  if (near === undefined) return null;
  // Two letters changed places are two edits, also in a word as short as `port`.
  const length = Math.max(wrong.length, near.length);
  const mayDiffer = length < 4 ? 1 : Math.max(2, Math.floor(length / 3));
  return distance(wrong.toLowerCase(), near.toLowerCase()) <= mayDiffer ? near : null;
}
