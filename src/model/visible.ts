/**
 * Characters that a terminal obeys or a reader cannot see: controls other than tab and newline, bidirectional and other
 * format characters, line separators, fillers, tags, private use, unassigned code points and lone surrogates. The two
 * variation selectors of ordinary emoji are not among them.
 */
const UNSEEN = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\p{DI}]--[\t\n\ufe0e\ufe0f]]/gv;

const PLAIN = /^[\t\n\x20-\x7e]*$/;

/** Whether a text holds a character that `visible` would write out. */
export const hasUnseen = (text: string): boolean => !PLAIN.test(text) && text.search(UNSEEN) >= 0;

/** A text that cannot steer a terminal or hide a part of itself: such characters are written out, as `\u{9b}`. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** JSON or double-quoted YAML with the same characters as escapes, so that it means what it meant. */
export function escapeUnseen(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNSEEN, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** A value as JSON that is safe to show on a terminal. */
export const jsonText = (value: unknown, space?: number): string =>
  escapeUnseen(JSON.stringify(value, undefined, space));

/** Most characters that are shown of one key or value of somebody else's text. */
const SHOWN = 100;

/** A key or value in a message, cut where it is long. */
export const shown = (text: string): string =>
  visible(text.length > SHOWN ? `${text.slice(0, SHOWN)}\u2026` : text);

/** Most characters of a message that holds somebody else's text. */
const MESSAGE = 300;

/** A message of a library about somebody else's text, on one line. */
export const shownMessage = (message: string): string =>
  visible(message.length > MESSAGE ? `${message.slice(0, MESSAGE)}\u2026` : message).replaceAll('\n', ' ');

/** Whether a path is short enough to be handed on, as paths that people write are. */
export const isShortPath = (path: readonly PropertyKey[]): boolean =>
  path.reduce<number>((sum, part) => sum + String(part).length + 1, 0) <= 1_000;

/** A path in a document in a message: `tools.loki.enabled`. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part) => shown(String(part))).join('.');
