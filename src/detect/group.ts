import { type Service, serviceKey } from '../model/service.ts';
import { certaintyRank } from './identity.ts';
import type { Match } from './judge.ts';
import type { Rules } from './rules.ts';
import { lastRun, wordsOf } from './words.ts';

/** Several Services that lead to one backend: the one to use, and the others. */
export interface Group {
  readonly chosen: Match;
  readonly others: readonly Match[];
}

/** A match with what is compared when groups are made. */
interface Member {
  readonly match: Match;
  readonly selector: ReadonlyMap<string, string>;
  readonly selectorText: string;
  readonly instances: ReadonlySet<string>;
  /** The name of the installation, as far as the Service's name begins with it. */
  readonly stem: string;
  /** What follows the product there and is neither a part of it nor neutral: operators put the installation's name last. */
  readonly rest: string;
  readonly role: string;
}

/** The name without the words that tell parts of one installation apart: `a` of `a-loki-query-frontend` and of `a-query`. */
function stemOf(service: Service, match: Match, rules: Rules): Pick<Member, 'stem' | 'rest'> {
  const words = wordsOf(service.name);
  for (const name of match.compiled.names) {
    const run = lastRun(words, name);
    if (run !== undefined)
      return {
        stem: words.slice(0, run.start).join('-'),
        rest: withoutParts(words.slice(run.end), match, rules).join('-'),
      };
  }
  let end = words.length;
  for (let shorter = true; shorter && end > 1; ) {
    shorter = false;
    const phrase = match.compiled.phrases.find(
      ({ words: run }) => run.length < end && run.every((word, i) => words[end - run.length + i] === word),
    );
    const cut = phrase?.words.length ?? (rules.neutral.has(words[end - 1] ?? '') ? 1 : 0);
    if (cut > 0) {
      end -= cut;
      shorter = true;
    }
  }
  return { stem: words.slice(0, end).join('-'), rest: '' };
}

/** Words that play no role in the product and are not neutral. */
function withoutParts(words: readonly string[], { compiled }: Match, rules: Rules): string[] {
  const rest: string[] = [];
  for (let at = 0; at < words.length; ) {
    const phrase = compiled.phrases.find(({ words: run }) => run.every((word, i) => words[at + i] === word));
    const word = words[at] ?? '';
    if (phrase === undefined && !rules.neutral.has(word)) rest.push(word);
    at += phrase?.words.length ?? 1;
  }
  return rest;
}

function memberOf(match: Match, rules: Rules): Member {
  const { service } = match;
  const selector = Object.entries(service.selector).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    match,
    selector: new Map(selector),
    selectorText: JSON.stringify(selector),
    instances: new Set(
      rules.vocabulary.instance.flatMap((key) =>
        service.labels[key] === undefined ? [] : `${key}=${service.labels[key]}`,
      ),
    ),
    ...stemOf(service, match, rules),
    role: match.roles.join(),
  };
}

const sameSelector = (a: Member, b: Member): boolean =>
  a.selector.size > 0 && a.selectorText === b.selectorText;

function within(small: ReadonlyMap<string, string>, large: ReadonlyMap<string, string>): boolean {
  return small.size > 0 && [...small].every(([key, value]) => large.get(key) === value);
}

/** Names of one installation: nothing in them tells it apart. */
const sameName = (a: Member, b: Member): boolean =>
  a.stem === b.stem && (a.rest === b.rest || a.rest === '' || b.rest === '');

/** Two ordinary Services of one backend: the same Pods, or differently named parts of one installation. */
function same(a: Member, b: Member): boolean {
  return sameSelector(a, b) || (sameName(a, b) && a.role !== b.role);
}

/** How strongly a headless Service looks like the twin of an ordinary one; 0: not at all. */
function twinship(headless: Member, ordinary: Member): number {
  if (sameSelector(headless, ordinary)) return 4;
  if (within(headless.selector, ordinary.selector) || within(ordinary.selector, headless.selector)) return 3;
  if (sameName(headless, ordinary)) return 2;
  return [...headless.instances].some((instance) => ordinary.instances.has(instance)) ? 1 : 0;
}

/** The members in groups of those that are connected by a chain of sameness. */
function connected(members: readonly Member[]): Member[][] {
  const groups: Member[][] = [];
  for (const member of members) {
    const joined = groups.filter((group) => group.some((other) => same(member, other)));
    const merged = [member, ...joined.flat()];
    for (const group of joined) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups;
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

/** Groups matches of one type and namespace; a headless twin joins the ordinary Service it is most like. */
function groupAlike(matches: readonly Match[], rules: Rules): Group[] {
  const members = matches
    .map((match) => memberOf(match, rules))
    .sort((a, b) => (a.match.service.name < b.match.service.name ? -1 : 1));
  const groups = connected(members.filter(({ match }) => !match.service.headless));
  const alone: Member[] = [];
  const twins: [Member[], Member][] = [];
  for (const member of members.filter(({ match }) => match.service.headless)) {
    let best: { readonly group: Member[]; readonly strength: number } | undefined;
    for (const group of groups) {
      const strength = Math.max(...group.map((ordinary) => twinship(member, ordinary)));
      if (strength > (best?.strength ?? 0)) best = { group, strength };
    }
    if (best === undefined) alone.push(member);
    else twins.push([best.group, member]);
  }
  for (const [group, member] of twins) group.push(member);
  return [...groups, ...connected(alone)].flatMap((group) => {
    const [chosen, ...others] = group.map(({ match }) => match).sort(preference);
    return chosen === undefined ? [] : [{ chosen, others }];
  });
}

/** One group for each backend, in the order of their Services' keys. */
export function groupMatches(matches: readonly Match[], rules: Rules): Group[] {
  const byKind = Map.groupBy(
    matches,
    (match) => `${match.compiled.detector.type} ${match.service.namespace}`,
  );
  return [...byKind.values()]
    .flatMap((alike) => groupAlike(alike, rules))
    .sort((a, b) => (serviceKey(a.chosen.service) < serviceKey(b.chosen.service) ? -1 : 1));
}
