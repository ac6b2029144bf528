import { closestMatch } from 'leven';

/**
 * Returns the known word that was probably meant, or `undefined` if none is similar.
 * @param most maximum edits: each inserts, removes or replaces a character
 */
export function nearest(word: string, known: readonly string[], most = 3): string | undefined {
  // A very long word is not a typo, and comparing it takes time.
  if (word.length < 2 || word.length > 100) return undefined;
  const small = word.toLowerCase();
  const same = known.find((each) => each.toLowerCase() === small);
  const maxDistance = Math.min(most, Math.ceil(word.length / 3));
  return same ?? closestMatch(word, known, { maxDistance });
}

/** The end of a message about an unknown word: a suggestion, or else the list of known words. */
export function suggestOrList(word: string, known: readonly string[], all: string): string {
  const meant = didYouMean(word, known);
  return meant === '' ? `; ${all} ${known.join(', ') || 'none'}` : meant;
}

/** The end of a message about an unknown word: `; did you mean json?`, or an empty string. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
