import type { Problem } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import type { Match } from './judge.ts';
import type { Member } from './member.ts';

/** Names of Services that are told. */
const SHOWN = 5;

/** When a Service was made, in milliseconds; later than all others where that is not known. */
const madeAt = ({ match }: Member): number => {
  const time = Date.parse(match.service.created ?? '');
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
};

const isHint = ({ match }: Member): boolean => match.certainty === 'hint';

/**
 * At most so many members of one namespace. What people approved stays first. Those that a hint alone speaks for go first, since there may be one for each
 * application; then the newest, so that whoever makes very many pushes nobody out. Pure: the order of the members does not
 * matter.
 */
export function withinNamespace(
  members: readonly Member[],
  most = 500,
  approved: ReadonlySet<Match> = new Set(),
): { readonly kept: readonly Member[]; readonly problem?: Problem } {
  if (members.length <= most) return { kept: members };
  const isOther = ({ match }: Member): number => Number(!approved.has(match));
  const ages = new Map(members.map((member) => [member, madeAt(member)]));
  const olderFirst = (a: Member, b: Member): number => {
    const [x, y] = [ages.get(a) ?? 0, ages.get(b) ?? 0];
    if (x !== y) return x - y;
    return a.match.service.name < b.match.service.name ? -1 : 1;
  };
  const sorted = members.toSorted(
    (a, b) => isOther(a) - isOther(b) || Number(isHint(a)) - Number(isHint(b)) || olderFirst(a, b),
  );
  const left = sorted.slice(most);
  const names = left.slice(0, SHOWN).map(({ match }) => match.service.name);
  return {
    kept: sorted.slice(0, most),
    problem: {
      where: `namespace ${left.slice(0, 1).map(({ match }) => displayNamespace(match.service))}`,
      what: `${left.length} of its ${members.length} Services that look like backends are left out, the newest (${names.join(', ')}${left.length > SHOWN ? ', …' : ''}): no more than ${most} of one namespace are considered`,
      fix: 'raise MAX_NAMESPACE_SERVICES (--max-namespace-services), or keep Services out with the annotation kubernaut.io/toolset: "false"',
    },
  };
}
