import { distance } from 'fastest-levenshtein';

/**
 * The names most like a wrong one, best first, at most `count`. Names that share nothing with it are left out:
 * at most about a third of the letters may differ, capitals aside, unless one name contains the other.
 */
export function nearestNames(wrong: string, names: readonly string[], count: number): readonly string[] {
  const asked = wrong.toLowerCase();
  return names
    .map((name) => ({ name, ...likeness(asked, name.toLowerCase()) }))
    .filter(({ alike }) => alike)
    .sort((a, b) => a.edits - b.edits)
    .slice(0, count)
    .map(({ name }) => name);
}

function likeness(asked: string, name: string): { alike: boolean; edits: number } {
  const edits = distance(asked, name);
  const contained =
    Math.min(asked.length, name.length) >= 3 && (asked.includes(name) || name.includes(asked));
  return {
    alike: contained || edits <= Math.max(1, Math.floor(Math.max(asked.length, name.length) / 3)),
    edits,
  };
}
