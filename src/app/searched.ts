import { Fault, namespaces } from '../config/setting-texts.ts';
import type { Observed } from '../planning/observed.ts';
import { SEARCHED_NAMESPACES } from '../planning/plan.ts';

/** The longest list of namespaces that is recorded, in characters. All annotations together have 256 KiB. */
const MAX_TEXT = 16_384;

/** Searched namespaces as the text of an annotation; empty if they are too many for one. */
export function searchedText(searched: readonly string[]): string {
  const text = searched.includes('*') ? '*' : [...new Set(searched)].sort().join(',');
  return text.length > MAX_TEXT ? '' : text;
}

/** The namespaces that `serve` searched when it published. `undefined` if it did not record them. */
export function searchedByServe(live: Observed | undefined): readonly string[] | undefined {
  const text = live?.annotations[SEARCHED_NAMESPACES];
  if (text === undefined || text === '' || text.length > MAX_TEXT) return undefined;
  const read = namespaces.read(text);
  return read instanceof Fault ? undefined : read;
}
