/** Of an emoji, these choose how it is drawn, and nothing else is lost with them. */
const VARIATIONS = /[\u{fe00}-\u{fe0f}]+/gu;
/** What nobody sees: controls, formatting, fillers and all that is ignored where it is not known. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}]+/gu;

/** Words of ASCII with single spaces between them: most texts, and quick to tell. */
const CLEAN = /^(?:[!-~]+(?: [!-~]+)*)?$/;

const clean = (text: string): string =>
  CLEAN.test(text) ? text : text.replace(VARIATIONS, '').replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim();

/**
 * A tenant's text as one short line: no control, formatting or line-breaking characters, no runs of spaces.
 * @param max most characters (code points) that are kept; a longer text ends in an ellipsis
 */
export function oneLine(text: string, max: number): string {
  const line = clean(text.slice(0, max * 8));
  if (line.length <= max) return line;
  const characters = [...line];
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join('')}…`;
}

/** A word that nobody takes for anything else in a list. */
const PLAIN_WORD = /^[A-Za-z0-9_./-]+$/;

/**
 * A name that somebody else chose, for a list that people read: with anything but a plain word it stands in quotes, so
 * `get (read-only)` or `and 412 more` is not taken for our words.
 * @param max most characters of the name that are kept
 */
export function quoted(name: string, max: number): string {
  const line = oneLine(name, max);
  return PLAIN_WORD.test(name) && line === name ? line : JSON.stringify(line);
}

const ELLIPSIS = '…';

/**
 * The same, with a limit on what it takes in UTF-8; a longer text is cut between two characters.
 * @param max most bytes, the ellipsis included
 */
export function oneLineOfBytes(text: string, max: number): string {
  const line = clean(text.slice(0, max * 8));
  if (Buffer.byteLength(line) <= max) return line;
  const room = new Uint8Array(max - Buffer.byteLength(ELLIPSIS));
  const { read } = new TextEncoder().encodeInto(line, room);
  return `${line.slice(0, read)}${ELLIPSIS}`;
}
