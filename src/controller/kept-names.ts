import { type Holder, membersOf, type Naming } from '../detection/names.ts';
import type { Candidate, Problem } from '../model/discovery.ts';
import { displayKey, displayNamespace } from '../model/key.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';

/** A requested name that is kept for a backend whose Service was deleted, or is no backend now. */
interface KeptName {
  readonly name: string;
  readonly holder: Holder;
  /** When it was last asked for, in milliseconds of `performance.now`. */
  readonly at: number;
  /** When the backend came into use; see `sinceOf`. */
  readonly since: number;
}

/** The kept names, by the name in lower case. */
export type KeptNames = ReadonlyMap<string, KeptName>;

/** How long a name is kept, in milliseconds: an installation may be repeated. */
const KEPT_MS = 10 * 60_000;

/** Maximum kept names, for the backends of one namespace and for all: those of the backends that came into use first. */
const MAX_KEPT_IN_NAMESPACE = 100;
const MAX_KEPT = 1_000;

/** Whether a Service asked for a name. Default names have a dot. */
const isRequested = (name: string): boolean => !name.includes('.');

const wantedBy = ({ displayName, displayNames = [] }: Candidate): readonly string[] =>
  displayName === undefined ? displayNames : [displayName, ...displayNames];

/** Whether a backend, or one of the Services that belong to it, held a name. */
function belongsTo(candidate: Candidate, { cluster, namespace, members }: Holder): boolean {
  const { service } = candidate;
  if (service.cluster !== cluster || service.namespace !== namespace) return false;
  const held = new Set(members);
  return membersOf(candidate).some((name) => held.has(name));
}

function limited(names: readonly KeptName[]): KeptNames {
  const counts = new Map<string, number>();
  const sorted = names.toSorted((a, b) => a.since - b.since || a.at - b.at);
  const kept = sorted.filter(({ holder }) => {
    const place = displayNamespace(holder);
    const count = (counts.get(place) ?? 0) + 1;
    counts.set(place, count);
    return count <= MAX_KEPT_IN_NAMESPACE;
  });
  return new Map(kept.slice(0, MAX_KEPT).map((each) => [each.name.toLowerCase(), each]));
}

/** What a pass does with kept names. */
export interface NamesOfPass<T> {
  /** The backends, without requests for names that are kept for others. */
  readonly candidates: readonly T[];
  /** The holders of names, including those that are back. */
  readonly held: Naming['held'];
  /** The names that are kept after the pass. */
  readonly kept: KeptNames;
  readonly problems: readonly Problem[];
}

type Asked = Pick<KeptName, 'name' | 'holder'>;

/** Whether one of some backends asks for a name that it held. */
function askedBy(candidates: readonly Candidate[]): (asked: Asked) => boolean {
  const wanting = new Map<string, Candidate[]>();
  for (const candidate of candidates)
    for (const name of wantedBy(candidate)) {
      const lower = name.toLowerCase();
      wanting.set(lower, [...(wanting.get(lower) ?? []), candidate]);
    }
  return ({ name, holder }) =>
    wanting.get(name.toLowerCase())?.some((each) => belongsTo(each, holder)) === true;
}

/** What is known in a pass. */
export interface KnownOfNames {
  /** The holders of names before it. */
  readonly held: Naming['held'];
  readonly before: KeptNames;
  /** All Services. */
  readonly services: readonly Service[];
  /** All backends before they were probed: some are not found because of their answers. */
  readonly possible: readonly Candidate[];
  /** When backends came into use. */
  readonly since: ReadonlyMap<ServiceKey, number>;
  /** Milliseconds of `performance.now`. */
  readonly now: number;
}

/**
 * Keeps a requested name for its backend while that answers as something else, and for ten minutes when one of its Services
 * is gone and no other one asks for it; and gives it back. Meanwhile nobody else gets it, in any namespace. Pure.
 * @param candidates the backends that were found
 */
export function keepNames<T extends Candidate>(
  candidates: readonly T[],
  { held, before, services, possible, since, now }: KnownOfNames,
): NamesOfPass<T> {
  const isBack = askedBy(candidates);
  const isAsked = askedBy(possible);
  let known: ReadonlySet<ServiceKey> | undefined;
  const isGone = ({ members, ...place }: Holder): boolean => {
    known ??= new Set(services.map(serviceKey));
    return members.some((name) => !known?.has(serviceKey({ ...place, name })));
  };
  const lasting = [...before.values()]
    .map((each) => (isAsked(each) ? { ...each, at: now } : each))
    .filter(({ at }) => now - at < KEPT_MS);
  const lost = [...held].flatMap(([name, holder]): KeptName[] => {
    const asked = { name, holder };
    if (!isRequested(name) || before.has(name.toLowerCase()) || isBack(asked)) return [];
    if (!isGone(holder) && !isAsked(asked)) return [];
    const { members, ...place } = holder;
    const [first = ''] = members;
    return [{ ...asked, at: now, since: since.get(serviceKey({ ...place, name: first })) ?? now }];
  });
  const all = limited([...lasting, ...lost]);
  if (all.size === 0) return { candidates, held, kept: all, problems: [] };
  const problems: Problem[] = [];
  const free = candidates.map((candidate): T => {
    const isKept = (name: string): boolean => {
      const kept = all.get(name.toLowerCase());
      return kept !== undefined && !belongsTo(candidate, kept.holder);
    };
    const { service, displayName, displayNames } = candidate;
    if (!wantedBy(candidate).some(isKept)) return candidate;
    if (displayName !== undefined && isKept(displayName))
      problems.push({
        where: `Service ${displayKey(service)}`,
        what: `asks for the tool name ${displayName}, and does not get it for up to ten minutes: another backend had it, and may come back`,
        fix: 'wait, or give it another name',
      });
    return {
      ...candidate,
      displayName: displayName !== undefined && isKept(displayName) ? undefined : displayName,
      ...(displayNames === undefined ? {} : { displayNames: displayNames.filter((name) => !isKept(name)) }),
    };
  });
  const [back, away] = [true, false].map((is) => [...all.values()].filter((each) => isBack(each) === is));
  return {
    candidates: free,
    held: new Map([...held, ...(back ?? []).map(({ name, holder }) => [name, holder] as const)]),
    kept: new Map((away ?? []).map((each) => [each.name.toLowerCase(), each])),
    problems,
  };
}
