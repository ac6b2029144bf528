import { nearest } from '../model/nearest.ts';

/**
 * Edits in a typo. What a user writes for a Service may be a token, and a Service that is not known may be meant, so a
 * suggestion must be close.
 */
const TYPO = 2;

/**
 * The key of the Service that was probably meant. A Service of the same name in another namespace is not suggested: it may
 * have another owner, who would receive what was meant for a Service that is gone.
 */
export const meantService = (key: string, known: readonly string[]): string | undefined =>
  nearest(key, known, TYPO);
