/** One element of a pattern: a run of any characters, or a test of one character. */
type Element = 'any' | ((character: string) => boolean);

/** The index of the bracket that closes a set which starts at an index, or -1. A bracket that comes first is a member. */
function endOfSet(pattern: readonly string[], start: number): number {
  const first = pattern[start] === '!' ? start + 1 : start;
  return pattern.indexOf(']', pattern[first] === ']' ? first + 1 : first);
}

/** `[abc]`, `[a-z]`, or `[!abc]` for every other character. */
function oneOf(set: readonly string[]): (character: string) => boolean {
  const isNegated = set[0] === '!';
  const members = isNegated ? set.slice(1) : set;
  const ranges: [string, string][] = [];
  for (let at = 0; at < members.length; ) {
    const from = members[at] ?? '';
    const isRange = members[at + 1] === '-' && at + 2 < members.length;
    ranges.push([from, isRange ? (members[at + 2] ?? '') : from]);
    at += isRange ? 3 : 1;
  }
  const isMember = (character: string): boolean =>
    ranges.some(([from, to]) => from <= character && character <= to);
  return (character) => isMember(character) !== isNegated;
}

function elementsOf(text: string): Element[] {
  const pattern = [...text];
  const elements: Element[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    const end = character === '[' ? endOfSet(pattern, at + 1) : -1;
    if (character === '*') elements.push('any');
    else if (character === '?') elements.push(() => true);
    else if (end >= 0) {
      elements.push(oneOf(pattern.slice(at + 1, end)));
      at = end;
    } else elements.push((each) => each === character);
  }
  return elements;
}

/**
 * A pattern of Python's `fnmatch`, which HolmesGPT uses: `*`, `?`, `[abc]`, `[a-z]` and `[!abc]`; case counts. Its time is
 * at most the product of both lengths.
 */
export function fnmatch(pattern: string): (text: string) => boolean {
  const elements = elementsOf(pattern);
  return (text) => {
    const characters = [...text];
    let element = 0;
    let at = 0;
    // Where the last `*` is, and how far it reaches.
    let star = -1;
    let reach = 0;
    while (at < characters.length) {
      const each = elements[element];
      if (each === 'any') {
        star = element++;
        reach = at;
      } else if (each?.(characters[at] ?? '') === true) {
        element++;
        at++;
      } else if (star >= 0) {
        element = star + 1;
        at = ++reach;
      } else return false;
    }
    return elements.slice(element).every((each) => each === 'any');
  };
}
