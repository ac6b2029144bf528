/** Most characters of an API server's message that are shown. */
const LONGEST = 300;
/** Most characters of a quoted value in it: a name fits, a document does not. */
const LONGEST_VALUE = 64;

const MARK = 'Invalid value: ';

/** Where a JSON value or a quoted text that begins at `start` ends; the end of the text where it is cut off. */
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
 * An API server's message, short enough to show. A validation error repeats the value that it refuses, which can be
 * a whole document with what a person wrote into it; only its reason is kept.
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
