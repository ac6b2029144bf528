import { isMapping } from '../../../model/mapping.ts';

/** A word that says nothing of what it stands beside, such as a mode, a type, or `npx`. */
const WORD = /^[a-z-]*$/;

/** All lines of texts in a value, at any depth, without keys and mere words. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split('\n').filter((line) => !WORD.test(line));
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isMapping(value) ? Object.values(value).flatMap(textsIn) : [];
}

/**
 * Finds values with a text that one document has and another one has nowhere: what was withdrawn meanwhile must not come back
 * under another name or address.
 * @param before the document that an edit began with
 * @param now the current document
 */
export function withdrawnSince(before: unknown, now: unknown): (value: unknown) => boolean {
  const left = new Set(textsIn(now));
  const gone = new Set(textsIn(before).filter((text) => !left.has(text)));
  return (value) => gone.size > 0 && textsIn(value).some((text) => gone.has(text));
}
