/** Splits a name into words of letters and digits, in lower case, without ordinals such as `0` or `v2`. */
export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '' && !/^v?\d+$/.test(word));
}

/** Removes the name of the installation from the start of a text. */
export function withoutInstance(text: string, instances: readonly string[]): string {
  for (const instance of instances) {
    if (text.startsWith(`${instance}-`)) return text.slice(instance.length + 1);
  }
  return text;
}

/** The position of a run of words. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** Whether `run` is in `words` at an offset. */
function isAt(words: readonly string[], run: readonly string[], start: number): boolean {
  for (let offset = 0; offset < run.length; offset++) if (words[start + offset] !== run[offset]) return false;
  return true;
}

/** The last occurrence of `run` in `words`. */
export function lastRun(words: readonly string[], run: readonly string[]): Run | undefined {
  for (let start = words.length - run.length; start >= 0; start--)
    if (isAt(words, run, start)) return { start, end: start + run.length };
  return undefined;
}
