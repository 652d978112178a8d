/** Whether each word of `text` is found in one of `names`, in any case. No text matches everything. */
export function matchesText(names: readonly string[], text: string): boolean {
  const said = names.join(' ').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}
