import { compareKeys, displayNamespace } from '../model/key.ts';
import { serviceKey } from '../model/service.ts';
import { certaintyRank } from './identity.ts';
import type { Match } from './judge.ts';
import type { Member } from './member.ts';
import { newcomersIn, unsureIn } from './newcomers.ts';
import { Twins, type Work } from './twins.ts';
import { Union } from './union.ts';

/** Services that lead to one backend, the best way in first; never empty. */
export type Group = readonly [Match, ...Match[]];

/**
 * Joins parts of one installation: Services with one stem and different roles, where nothing else in their names tells
 * them apart. Two with the same role are joined only through a third one.
 * @param members all of one stem
 */
function joinParts(members: readonly Member[], union: Union<Member>): void {
  const byRest = Map.groupBy(members, ({ rest }) => rest);
  for (const alike of byRest.values())
    if (new Set(alike.map(({ role }) => role)).size > 1) union.joinAll(alike);
  const plain = byRest.get('');
  const [first] = plain ?? [];
  if (plain === undefined || first === undefined) return;
  const roles = new Set(plain.map(({ role }) => role));
  const others = members.filter(({ rest, role }) => rest !== '' && !(roles.size === 1 && roles.has(role)));
  if (others.length > 0) union.joinAll([first, ...plain, ...others]);
}

/** The members in groups of those that lead to one backend: the same Pods, or differently named parts of one installation. */
function connected(members: readonly Member[]): Member[][] {
  const union = new Union<Member>();
  for (const alike of Map.groupBy(members, ({ selectorKey }) => selectorKey)) {
    const [key, all] = alike;
    if (key !== undefined) union.joinAll(all);
  }
  for (const [stem, all] of Map.groupBy(members, ({ stem }) => stem))
    if (stem !== undefined) joinParts(all, union);
  // A group stands where its last member does.
  const groups = Map.groupBy(members.toReversed(), (member) => union.find(member));
  return [...groups.values()].reverse();
}

function preference(a: Match, b: Match): number {
  return (
    Number(a.service.headless) - Number(b.service.headless) ||
    a.rank - b.rank ||
    certaintyRank(a.certainty) - certaintyRank(b.certainty) ||
    Number(b.exact) - Number(a.exact) ||
    a.service.name.length - b.service.name.length ||
    (a.service.name < b.service.name ? -1 : 1)
  );
}

const byName = (a: Member, b: Member): number => (a.match.service.name < b.match.service.name ? -1 : 1);

/** Groups members of one type and namespace; a headless twin joins the ordinary Service it is most like. */
function groupAlike(members: Member[], approved: ReadonlySet<Match>, work: Work): Group[] {
  members.sort(byName);
  const ordinary = members.filter(({ match }) => !match.service.headless);
  const groups = connected(ordinary);
  const alone: Member[] = [];
  const twins = new Twins(groups, work);
  for (const member of members) {
    if (!member.match.service.headless) continue;
    const group = twins.groupOf(member);
    if (group === undefined) alone.push(member);
    else groups[group]?.push(member);
  }
  return [...groups, ...connected(alone)].flatMap((group) => {
    const behind = new Set([...newcomersIn(group), ...unsureIn(group)]);
    const later = ({ match }: Member): number => Number(!approved.has(match));
    const isBehind = (member: Member): number => Number(behind.has(member));
    const [best, ...others] = group
      .sort((a, b) => later(a) - later(b) || isBehind(a) - isBehind(b) || preference(a.match, b.match))
      .map(({ match }) => match);
    return best === undefined ? [] : [[best, ...others] as const];
  });
}

/**
 * One group for each backend, in the order of the keys of their best ways in. The work is near linear in the number of
 * members: they are found by what they have in common and not compared with each other.
 * @param approved what people approved: these are preferred as ways in
 * @param work counts comparisons, for tests
 */
export function groupMembers(
  members: Iterable<Member>,
  approved: ReadonlySet<Match> = new Set(),
  work: Work = { compared: 0 },
): Group[] {
  const byKind = Map.groupBy(
    members,
    ({ match }) => `${match.compiled.detector.type} ${displayNamespace(match.service)}`,
  );
  return [...byKind.values()]
    .flatMap((alike) => groupAlike(alike, approved, work))
    .sort(([a], [b]) => compareKeys(serviceKey(a.service), serviceKey(b.service)));
}
