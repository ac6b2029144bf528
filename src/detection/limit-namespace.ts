import { isOrAre } from '../model/count-of.ts';
import type { Problem } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import type { Match } from './evaluate.ts';
import type { Member } from './member.ts';

/** Maximum Services that the problem names. */
const MAX_NAMES = 5;

/** Creation time of a Service, in milliseconds. Infinity if unknown. */
const createdAt = ({ match }: Member): number => {
  const time = Date.parse(match.service.created ?? '');
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
};

const isHint = ({ match }: Member): boolean => match.certainty === 'hint';

/**
 * Limits the members of one namespace. Approved ones have precedence. Members with only a hint are dropped first, because
 * any application may have one; then the newest, so that somebody who creates very many displaces no others. Pure; the
 * order of members does not matter.
 */
export function limitNamespace(
  members: readonly Member[],
  most = 500,
  approved: ReadonlySet<Match> = new Set(),
): { readonly kept: readonly Member[]; readonly problem?: Problem } {
  if (members.length <= most) return { kept: members };
  const isOther = ({ match }: Member): number => Number(!approved.has(match));
  const ages = new Map(members.map((member) => [member, createdAt(member)]));
  const olderFirst = (a: Member, b: Member): number => {
    const [x, y] = [ages.get(a) ?? 0, ages.get(b) ?? 0];
    if (x !== y) return x - y;
    return a.match.service.name < b.match.service.name ? -1 : 1;
  };
  const sorted = members.toSorted(
    (a, b) => isOther(a) - isOther(b) || Number(isHint(a)) - Number(isHint(b)) || olderFirst(a, b),
  );
  const left = sorted.slice(most);
  const names = left.slice(0, MAX_NAMES).map(({ match }) => match.service.name);
  return {
    kept: sorted.slice(0, most),
    problem: {
      where: `namespace ${left.slice(0, 1).map(({ match }) => displayNamespace(match.service))}`,
      what: `${left.length} of its ${members.length} Services that look like backends ${isOrAre(left.length)} left out, the newest (${names.join(', ')}${left.length > MAX_NAMES ? ', …' : ''}): the limit is ${most} for each namespace`,
      fix: 'raise MAX_NAMESPACE_SERVICES (--max-namespace-services), or keep Services out with the annotation kubernaut.io/toolset: "false"',
    },
  };
}
