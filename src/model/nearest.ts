import { closestMatch } from 'leven';

/** Of some words the one that a person probably meant by another; nothing where none is like it. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // What is much longer than all words that there are is no slip of the pen, and would take time.
  if (word.length < 2 || word.length > 100) return undefined;
  const small = word.toLowerCase();
  const same = known.find((each) => each.toLowerCase() === small);
  const maxDistance = Math.min(3, Math.ceil(word.length / 3));
  return same ?? closestMatch(word, known, { maxDistance });
}

/** The end of a message about a word that is not known: the one that was meant, else all that there are. */
export function meantOrAll(word: string, known: readonly string[], all: string): string {
  const meant = didYouMean(word, known);
  return meant === '' ? `; ${all} ${known.join(', ') || 'none'}` : meant;
}

/** The end of a message about a word that is not known: `; did you mean json?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
