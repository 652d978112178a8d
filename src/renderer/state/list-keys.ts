/**
 * Where a key leads in a list of `count`: the place to go to, `null` for keys that move nothing.
 * @param at the place it is pressed at; -1 before any
 * @param page how many places a page is
 */
export function placeOfKey(key: string, at: number, page: number, count: number): number | null {
  const to = rawPlace(key, at, page, count);
  return to === null || count === 0 ? null : Math.max(0, Math.min(count - 1, to));
}

function rawPlace(key: string, at: number, page: number, count: number): number | null {
  switch (key) {
    case 'ArrowDown':
      return at + 1;
    case 'ArrowUp':
      return at - 1;
    case 'PageDown':
      return at + page;
    case 'PageUp':
      return at - page;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
