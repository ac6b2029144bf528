/** A number with its noun: `1 tool`, `2 tools`, `0 entries`. */
export const countOf = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : plural}`;

/** The verb for a number of things: `is` for one. */
export const isOrAre = (count: number): string => (count === 1 ? 'is' : 'are');
