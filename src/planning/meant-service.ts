import { nearest } from '../model/nearest.ts';

/**
 * Edits in a typo. What a user writes for a Service may be a token, and a Service that is not known may be meant, so a
 * suggestion must be close.
 */
const TYPO = 2;

/** The key of the Service that was probably meant: a similar key, or the same name in another namespace. */
export function meantService(key: string, known: readonly string[]): string | undefined {
  const name = key.slice(key.indexOf('/'));
  return nearest(key, known, TYPO) ?? known.find((each) => each.endsWith(name));
}
