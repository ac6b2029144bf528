/** Variation selectors. They only choose the presentation of an emoji. */
const VARIATIONS = /[\u{fe00}-\u{fe0f}]+/gu;
/** Invisible characters: controls, formatting, fillers and default-ignorable code points. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}]+/gu;

/** ASCII words with single spaces. Most texts match, which is a fast path. */
const CLEAN = /^(?:[!-~]+(?: [!-~]+)*)?$/;

const sanitize = (text: string): string =>
  CLEAN.test(text) ? text : text.replace(VARIATIONS, '').replace(INVISIBLE, ' ').replace(/\s+/g, ' ').trim();

/**
 * Sanitizes an untrusted text to one short line, without control, formatting and line-breaking characters.
 * @param max maximum characters (code points); a longer text ends in an ellipsis
 */
export function oneLine(text: string, max: number): string {
  const line = sanitize(text.slice(0, max * 8));
  if (line.length <= max) return line;
  const characters = [...line];
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join('')}…`;
}

/** A word that is unambiguous in a list. */
const PLAIN_WORD = /^[A-Za-z0-9_./-]+$/;

/**
 * Formats an untrusted name for a list. Anything but a plain word is quoted, so that `get (read-only)` or `and 412 more`
 * cannot be mistaken for our own text.
 * @param max maximum characters of the name
 */
export function quoted(name: string, max: number): string {
  const line = oneLine(name, max);
  return PLAIN_WORD.test(name) && line === name ? line : JSON.stringify(line);
}

const ELLIPSIS = '…';

/**
 * Like `oneLine`, with a limit in bytes of UTF-8. A longer text is truncated between characters.
 * @param max maximum bytes, including the ellipsis
 */
export function oneLineOfBytes(text: string, max: number): string {
  const line = sanitize(text.slice(0, max * 8));
  if (Buffer.byteLength(line) <= max) return line;
  const room = new Uint8Array(max - Buffer.byteLength(ELLIPSIS));
  const { read } = new TextEncoder().encodeInto(line, room);
  return `${line.slice(0, read)}${ELLIPSIS}`;
}
