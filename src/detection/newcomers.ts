import type { Member } from './member.ts';
import { within } from './selection.ts';

/** Services of one installation are created within this time. Later ones do not belong to it. */
export const INSTALLATION_SPAN_MS = 10 * 60_000;

/** Maximum selectors of sure members to compare an unsure one with. */
const MAX_COMPARISONS = 32;

const isGuess = ({ match }: Member): boolean => match.certainty === 'hint';

/**
 * Members that were created later than the rest of their group. Creating a Service with a matching name must not displace an
 * existing backend, whatever Pods it selects: it may select others later, and EndpointSlices may lead it to others. Only the
 * API server sets the creation time. Services without one, as in manifests, are never newcomers.
 */
export function newcomersIn(group: readonly Member[]): Set<Member> {
  const times = group.filter((member) => !isGuess(member)).map(({ created }) => created);
  const known = times.filter((time) => !Number.isNaN(time));
  if (known.length === 0) return new Set();
  const latest = known.reduce((a, b) => Math.min(a, b)) + INSTALLATION_SPAN_MS;
  return new Set(group.filter(({ created }) => created > latest));
}

/** Whether a member selects only Pods that others select too. @param few the selectors to compare with */
function leadsWithin(
  { selector, selectorKey }: Member,
  selectors: ReadonlyMap<string | undefined, unknown>,
  few: readonly ReadonlyMap<string, string>[],
): boolean {
  if (selectorKey === undefined) return false;
  return selectors.has(selectorKey) || few.some((each) => within(each, selector));
}

/** Members that match only by name or hint, and select other Pods than the members that match by labels. */
export function unsureIn(group: readonly Member[]): Set<Member> {
  const isUnsure = ({ match: { certainty } }: Member): boolean =>
    certainty === 'name' || certainty === 'hint';
  const sure = group.filter((member) => !isUnsure(member));
  if (sure.length === 0 || sure.length === group.length) return new Set();
  const selectors = new Map(sure.map(({ selectorKey, selector }) => [selectorKey, selector]));
  const few = [...selectors.values()].filter(({ size }) => size > 0).slice(0, MAX_COMPARISONS);
  return new Set(group.filter((member) => isUnsure(member) && !leadsWithin(member, selectors, few)));
}
