/**
 * What stands before and after the first mention of `word` in `text`, `null` where it is not mentioned. `phi` is not
 * mentioned in `phi-3`.
 */
export function splitAround(text: string, word: string | null): { before: string; after: string } | null {
  if (word === null || word === '') return null;
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    const before = text.slice(0, at);
    const after = text.slice(at + word.length);
    if (!/[\w.-]$/.test(before) && !/^(?:\w|[.-]\w)/.test(after)) return { before, after };
  }
  return null;
}
