/**
 * A tenant's text as one short line: no control, formatting or line-breaking characters, no runs of spaces.
 * @param max most characters (code points) that are kept; a longer text ends in an ellipsis
 */
export function oneLine(text: string, max: number): string {
  const clean = text
    .slice(0, max * 8)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const characters = [...clean];
  return characters.length <= max ? clean : `${characters.slice(0, max - 1).join('')}…`;
}
