import { compareKeys, displayNamespace } from '../model/key.ts';
import { isPart } from '../model/part.ts';
import { serviceKey } from '../model/service.ts';
import { containedIn } from './contained.ts';
import type { Match } from './evaluate.ts';
import { certaintyRank } from './identity.ts';
import type { Member } from './member.ts';
import { newcomersIn, unsureIn } from './newcomers.ts';
import { Twins, type Work } from './twins.ts';
import { Union } from './union.ts';

/** The Services of one backend, best entry point first. Never empty. */
export type Group = readonly [Match, ...Match[]];

/**
 * Joins the parts of one installation: Services with the same stem and different roles, whose names do not differ
 * otherwise. Two Services with the same role are joined only through a third one. Further words without a role may be the name
 * of another installation, as in `prometheus-eu`, so they need a label for the same installation.
 * @param members all members with one stem
 */
function joinParts(members: readonly Member[], union: Union<Member>): void {
  const byRest = Map.groupBy(members, ({ rest }) => rest);
  for (const alike of byRest.values())
    if (new Set(alike.map(({ role }) => role)).size > 1) union.joinAll(alike);
  const plain = byRest.get('');
  const [first] = plain ?? [];
  if (plain === undefined || first === undefined) return;
  const roles = new Set(plain.map(({ role }) => role));
  const others = members.filter(
    ({ rest, role }) => rest !== '' && role !== '' && !(roles.size === 1 && roles.has(role)),
  );
  if (others.length > 0) union.joinAll([first, ...plain, ...others]);
  const byInstance = new Map<string, { readonly parts: Member[]; readonly unknown: Member[] }>();
  for (const member of members) {
    const isPart = member.rest === '' && member.role !== '';
    if (!isPart && (member.rest === '' || member.role !== '')) continue;
    for (const instance of member.instances) {
      const same = byInstance.get(instance) ?? { parts: [], unknown: [] };
      byInstance.set(instance, same);
      (isPart ? same.parts : same.unknown).push(member);
    }
  }
  for (const { parts, unknown } of byInstance.values())
    if (parts.length > 0 && unknown.length > 0) union.joinAll([...parts, ...unknown]);
}

/** Groups members of one backend: with the same Pods, or parts of one installation. */
function connectedComponents(members: readonly Member[], work: Work): Member[][] {
  const union = new Union<Member>();
  for (const [one, other] of containedIn(members, work)) union.join(one, other);
  for (const alike of Map.groupBy(members, ({ set }) => set.key)) {
    const [key, all] = alike;
    if (key !== undefined) union.joinAll(all);
  }
  for (const [stem, all] of Map.groupBy(members, ({ stem }) => stem))
    if (stem !== undefined) joinParts(all, union);
  // The order of groups is that of their last members.
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

/** Adds headless Services to the groups that they match best. @returns those that match none */
function joinHeadless(members: readonly Member[], groups: readonly Member[][], work: Work): Member[] {
  const headless = members.filter(({ match }) => match.service.headless);
  if (headless.length === 0) return [];
  const twins = new Twins(groups, work);
  return headless.filter((member) => {
    const group = twins.groupOf(member);
    if (group !== undefined) groups[group]?.push(member);
    return group === undefined;
  });
}

/** Groups members of one type and namespace. A headless Service joins the regular Service that it matches best. */
function groupAlike(members: Member[], approved: ReadonlySet<Match>, work: Work): Group[] {
  members.sort(byName);
  const ordinary = members.filter(({ match }) => !match.service.headless);
  const groups = connectedComponents(ordinary, work);
  const alone = joinHeadless(members, groups, work);
  return [...groups, ...connectedComponents(alone, work)].flatMap((group) => {
    const [only] = group;
    if (only !== undefined && group.length === 1) return [[only.match] as const];
    const behind = new Set([...newcomersIn(group), ...unsureIn(group)]);
    const later = ({ match }: Member): number => Number(!approved.has(match));
    const isBehind = (member: Member): number => Number(behind.has(member));
    const [best, ...others] = group
      .sort(
        (a, b) =>
          later(a) - later(b) ||
          isBehind(a) - isBehind(b) ||
          Number(isPart(a.match.service)) - Number(isPart(b.match.service)) ||
          Number(a.isForOnePod) - Number(b.isForOnePod) ||
          preference(a.match, b.match),
      )
      .map(({ match }) => match);
    return best === undefined ? [] : [[best, ...others] as const];
  });
}

/**
 * Groups members by backend, sorted by the key of the best entry point. Nearly linear: members are found through indexes,
 * and not compared pairwise.
 * @param approved approved members, which are preferred as entry points
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
