import type { Member } from './member.ts';
import { within } from './selection.ts';

/** Services of one installation are created together; one that comes later by more than this did not come with it. */
const TOGETHER_MS = 10 * 60_000;

/** Most selectors of earlier Services that one newcomer's is compared with. */
const MOST_COMPARED = 32;

const createdAt = ({ match }: Member): number => Date.parse(match.service.created ?? '');

const isGuess = ({ match }: Member): boolean => match.certainty === 'hint';

/**
 * Members that were created later than the backend that they are grouped with, and that select other Pods. Who creates a
 * Service with a likely name must not get the place of a backend that was there before. Only the API server sets the time.
 * Services without one, as in manifests, are never newcomers.
 */
export function newcomersIn(group: readonly Member[]): Set<Member> {
  const times = group.filter((member) => !isGuess(member)).map(createdAt);
  const known = times.filter((time) => !Number.isNaN(time));
  if (known.length === 0) return new Set();
  const latest = known.reduce((a, b) => Math.min(a, b)) + TOGETHER_MS;
  const isLate = (member: Member): boolean => createdAt(member) > latest;
  const selectors = new Map(
    group.filter((member) => !isLate(member)).map((member) => [member.selectorKey, member.selector]),
  );
  const early = [...selectors.values()].filter(({ size }) => size > 0).slice(0, MOST_COMPARED);
  return new Set(group.filter((member) => isLate(member) && !leadsWithin(member, selectors, early)));
}

/** Does a member select no Pods but those of others? @param few the selectors that it is compared with */
function leadsWithin(
  { selector, selectorKey }: Member,
  selectors: ReadonlyMap<string | undefined, unknown>,
  few: readonly ReadonlyMap<string, string>[],
): boolean {
  if (selectorKey === undefined) return false;
  return selectors.has(selectorKey) || few.some((each) => within(each, selector));
}

/** Members that only their own name, or less, takes for the product, with other Pods than those that labels name so. */
export function unsureIn(group: readonly Member[]): Set<Member> {
  const isUnsure = ({ match: { certainty } }: Member): boolean =>
    certainty === 'name' || certainty === 'hint';
  const sure = group.filter((member) => !isUnsure(member));
  if (sure.length === 0 || sure.length === group.length) return new Set();
  const selectors = new Map(sure.map(({ selectorKey, selector }) => [selectorKey, selector]));
  const few = [...selectors.values()].filter(({ size }) => size > 0).slice(0, MOST_COMPARED);
  return new Set(group.filter((member) => isUnsure(member) && !leadsWithin(member, selectors, few)));
}
