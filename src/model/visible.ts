/**
 * Characters that control a terminal or are invisible: controls other than tab and newline, bidirectional and other
 * format characters, line separators, fillers, tags, private use, unassigned code points and lone surrogates. The two
 * variation selectors of ordinary emoji are excluded after one. More than four marks on one character cover other lines; no
 * language has that many.
 */
const INVISIBLE =
  /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\p{DI}]--[\t\n\ufe0e\ufe0f]]|(?<!\p{Emoji})[\ufe0e\ufe0f]|(?<=\p{Mn}{4})\p{Mn}/gv;

const PLAIN = /^[\t\n\x20-\x7e]*$/;

/** Whether `visible` would escape any character of a text. */
export const hasInvisible = (text: string): boolean => !PLAIN.test(text) && text.search(INVISIBLE) >= 0;

/** Escapes a character, as in `\u{9b}`. */
export const escaped = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** Escapes all characters that control a terminal or are invisible, as in `\u{9b}`. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(INVISIBLE, escaped);
}

/** Applies `visible` to all texts in a value. */
export function visibleTexts<T>(value: T): T {
  if (typeof value === 'string') return visible(value) as T;
  if (Array.isArray(value)) return value.map(visibleTexts) as T;
  if (value instanceof Map)
    return new Map([...value].map(([key, each]) => [visibleTexts(key), visibleTexts(each)])) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, visibleTexts(each)])) as T;
}

const unit = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');

/** Escapes the same characters in JSON, without changing its meaning. */
const escapedJson = (text: string): string =>
  PLAIN.test(text)
    ? text
    : text.replace(INVISIBLE, (character) =>
        Array.from({ length: character.length }, (_, at) => `\\u${unit(character.charCodeAt(at), 4)}`).join(
          '',
        ),
      );

/** Escapes the same characters in YAML, without changing its meaning. They must be in double quotes. */
export const escapedYaml = (text: string): string =>
  PLAIN.test(text)
    ? text
    : text.replace(INVISIBLE, (character) => {
        const code = character.codePointAt(0) ?? 0;
        return code > 0xffff ? `\\U${unit(code, 8)}` : `\\u${unit(code, 4)}`;
      });

/** Formats a value as JSON that is safe for a terminal. */
export const jsonText = (value: unknown, space?: number): string =>
  escapedJson(JSON.stringify(value, undefined, space));

/** Maximum characters of an untrusted key or value in a message. */
const SHOWN = 100;

/** Formats an untrusted key or value for a message. */
export const shown = (text: string): string =>
  visible(text.length > SHOWN ? `${text.slice(0, SHOWN)}\u2026` : text);

/** Maximum characters of a message with untrusted text. */
const MESSAGE = 300;

/** Formats a library's message about an untrusted text, on one line. */
export const shownMessage = (message: string): string =>
  visible(message.length > MESSAGE ? `${message.slice(0, MESSAGE)}\u2026` : message).replaceAll('\n', ' ');

/** Whether a path is short enough to be passed on. Paths in real files are. */
export const isShortPath = (path: readonly PropertyKey[]): boolean =>
  path.reduce<number>((sum, part) => sum + String(part).length + 1, 0) <= 1_000;

/** Formats a path in a document for a message, such as `tools.loki.enabled`. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part) => shown(String(part))).join('.');
