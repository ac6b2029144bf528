/** Maximum length of a message, in characters. */
const LONGEST = 300;
/** Maximum length of a quoted value: enough for a name, not for a document. */
const LONGEST_VALUE = 64;

const MARK = 'Invalid value: ';

/** The end of the JSON value or quoted string that begins at `start`; the end of the text if it is truncated. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (character === '\\' && quoted) index++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '{' || character === '[')) depth++;
    else if (!quoted && (character === '}' || character === ']')) depth--;
    if (depth === 0 && !quoted) return index + 1;
  }
  return text.length;
}

/**
 * Shortens a message of the API server. A validation error repeats the invalid value, which can be a whole document with text that a user wrote. Only the reason is kept.
 */
export function statusMessage(message: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let mark = message.indexOf(MARK); mark >= 0; mark = message.indexOf(MARK, from)) {
    const start = mark + MARK.length;
    const isValue = '{["'.includes(message[start] ?? '-');
    const end = isValue ? endOfValue(message, start) : start;
    const isLong = message[start] !== '"' || end - start > LONGEST_VALUE;
    parts.push(message.slice(from, start), isValue && isLong ? '…' : message.slice(start, end));
    from = end;
  }
  const whole = [...parts, message.slice(from)].join('');
  return whole.length <= LONGEST ? whole : `${whole.slice(0, LONGEST - 1)}…`;
}
