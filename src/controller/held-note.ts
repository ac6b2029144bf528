import { countOf, isOrAre } from '../model/count-of.ts';
import type { Problem } from '../model/discovery.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { timeText } from '../model/time-text.ts';
import type { Decision } from '../planning/decide.ts';

/** Maximum tools that the note names. */
const MAX_NAMES = 5;

/** The note about tools that are held, with when the last hold ends, and how to end it now. `undefined` if there are none. */
export function heldNote({ held, until }: Decision['held'], target: string): Problem | undefined {
  if (until === undefined) return undefined;
  const names = held.slice(0, MAX_NAMES).join(', ');
  const more = held.length > MAX_NAMES ? ` and ${held.length - MAX_NAMES} more` : '';
  return {
    where: target,
    // To the second: the annotation that keeps a hold has no more, and the same time makes one line of the log.
    what: `${countOf(held.length, 'tool')} ${isOrAre(held.length)} gone, unusable or beyond a limit, and published until ${timeText(until)}: ${names}${more}`,
    fix: `to remove what is gone now, set its annotation kubernaut.io/allow-removal: "true", start serve with --force, or switch tools off in ${OVERRIDES_KEY}`,
  };
}
