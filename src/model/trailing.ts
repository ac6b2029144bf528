/** Removes all occurrences of a character at the end of a text. A regular expression takes quadratic time on runs elsewhere. */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end--;
  return text.slice(0, end);
}
