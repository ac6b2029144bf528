import { isOrAre } from '../model/count-of.ts';
import type { ExceededLimit, Problem } from '../model/discovery.ts';
import { displayNamespace } from '../model/key.ts';
import { bySeniority, type InUseSince, knownSeniority, NONE, type Seniority } from '../model/seniority.ts';
import { keyOfService, type ServiceKey } from '../model/service.ts';
import type { Match } from './evaluate.ts';
import type { Member } from './member.ts';

/** Maximum Services per namespace by default. */
export const MAX_NAMESPACE_SERVICES = 500;

/** Maximum Services that the problem names. */
const MAX_NAMES = 5;

/** A member with what decides whether it is kept. */
interface Ranked {
  readonly member: Member;
  /** Approved ones first, then those in use, then those with more than a hint. */
  readonly rank: number;
  readonly since: Seniority;
  readonly name: string;
}

/** The Services of a namespace beyond its limit, and why. */
export interface BeyondNamespaceLimit {
  readonly services: ReadonlySet<ServiceKey>;
  readonly limit: ExceededLimit;
}

const RAISE =
  'raise MAX_NAMESPACE_SERVICES (--max-namespace-services), or keep Services out with the annotation kubernaut.io/toolset: "false"';

function keptFirst(a: Ranked, b: Ranked): number {
  const order = a.rank - b.rank || bySeniority(a.since, b.since);
  if (order !== 0) return order;
  const [x, y] = [a.member.created, b.member.created];
  if (x !== y && !(Number.isNaN(x) && Number.isNaN(y))) return x < y || Number.isNaN(y) ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/**
 * Limits the members of one namespace. Approved ones have precedence, and then those in use, also if they were created again.
 * Of the others, members with only a hint are dropped first, because any application may have one; then the newest, so that
 * creating very many displaces no others. Pure; the order of members does not matter.
 */
export function limitNamespace(
  members: readonly Member[],
  most = MAX_NAMESPACE_SERVICES,
  approved: ReadonlySet<Match> = new Set(),
  inUseSince: InUseSince = new Map(),
): { readonly kept: readonly Member[]; readonly problem?: Problem; readonly beyond?: BeyondNamespaceLimit } {
  if (members.length <= most) return { kept: members };
  const sorted = members
    .map((member): Ranked => {
      const { match } = member;
      const { service } = match;
      const used = inUseSince.get(keyOfService(service));
      const since = used === undefined ? NONE : knownSeniority(used, service);
      const isHint = match.certainty === 'hint';
      // A hint that has never proven itself is not in use, although it was chosen.
      const isUsed = used !== undefined && !(isHint && used.at === NONE.at);
      const rank = approved.has(match) ? 0 : isUsed ? 1 : isHint ? 3 : 2;
      return { member, rank, since, name: service.name };
    })
    .sort(keptFirst)
    .map(({ member }) => member);
  const left = sorted.slice(most);
  const where = `namespace ${left.slice(0, 1).map(({ match }) => displayNamespace(match.service))}`;
  const names = left.slice(0, MAX_NAMES).map(({ match }) => match.service.name);
  return {
    kept: sorted.slice(0, most),
    problem: {
      where,
      what: `${left.length} of its ${members.length} Services that look like backends ${isOrAre(left.length)} left out, the newest (${names.join(', ')}${left.length > MAX_NAMES ? ', …' : ''}): the limit is ${most} for each namespace`,
      fix: RAISE,
    },
    beyond: {
      services: new Set(left.map(({ match }) => keyOfService(match.service))),
      limit: {
        where,
        what: `${where} has ${members.length} Services that look like backends: the limit is ${most} for each namespace, and those in use stay, and then the oldest`,
        fix: RAISE,
        setting: { key: 'maxNamespaceServices', enough: members.length },
      },
    },
  };
}
