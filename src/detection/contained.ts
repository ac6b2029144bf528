import type { Member } from './member.ts';
import { within } from './selection.ts';
import type { Work } from './twins.ts';

/** Maximum selectors to compare with one that may contain them. */
const MAX_COMPARISONS = 32;

/** If more selectors contain one, it is the selector of a whole product, and not of one installation. */
const MAX_LARGER = 8;

const entryOf = ([key, value]: readonly [string, string]): string => `${key}=${value}`;

/** The members with one selector. */
interface Alike {
  readonly entries: ReadonlyMap<string, string>;
  readonly first: Member;
  /** Selectors that contain this one. */
  readonly larger: Alike[];
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Fills in `larger` of each. Nearly linear: a selector is found by its rarest entry. */
function compare(all: readonly Alike[], work: Work): void {
  const count = new Map<string, number>();
  for (const { entries } of all)
    for (const pair of entries) count.set(entryOf(pair), (count.get(entryOf(pair)) ?? 0) + 1);
  const byRarest = new Map<string, Alike[]>();
  for (const alike of all) {
    const keys = [...alike.entries].map(entryOf);
    const rarest = keys.reduce((a, b) => ((count.get(b) ?? 0) < (count.get(a) ?? 0) ? b : a));
    addTo(byRarest, rarest, alike);
  }
  for (const large of all) {
    let left = MAX_COMPARISONS;
    for (const pair of large.entries)
      for (const small of byRarest.get(entryOf(pair)) ?? []) {
        if (small === large || left === 0) continue;
        left -= 1;
        work.compared += 1;
        if (within(small.entries, large.entries)) small.larger.push(large);
      }
  }
}

/** Whether each of the selectors contains the one before it. */
const isChain = (sorted: readonly Alike[]): boolean =>
  sorted.every(({ entries }, index) => {
    const before = sorted[index - 1];
    return before === undefined || within(before.entries, entries);
  });

/**
 * Members whose selectors contain one another, so that one has all Pods of the other: the same backend. A selector that
 * several different ones contain is that of several installations, and joins none. Only Services of manifests count, which
 * have no creation time: in a cluster, the wider one may have Pods of others, and would hide the backend of another team.
 * @param members regular Services of one type and namespace
 * @param work counts comparisons, for tests
 */
export function containedIn(members: readonly Member[], work: Work): (readonly [Member, Member])[] {
  const byKey = new Map<string, Alike>();
  for (const member of members) {
    if (!Number.isNaN(member.created)) continue;
    const { key, entries } = member.set;
    if (key !== undefined && entries.size > 0 && !byKey.has(key))
      byKey.set(key, { entries, first: member, larger: [] });
  }
  const all = [...byKey.values()];
  compare(all, work);
  return all.flatMap(({ first, larger }) => {
    if (larger.length > MAX_LARGER) return [];
    const sorted = larger.toSorted((a, b) => a.entries.size - b.entries.size);
    return isChain(sorted) ? sorted.map((each) => [first, each.first] as const) : [];
  });
}
