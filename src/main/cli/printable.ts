/** A file may hold, in its name or inside, what would move the cursor or change the terminal's colours. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
