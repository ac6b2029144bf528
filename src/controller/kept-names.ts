import { type Holder, membersOf, type Naming } from '../detection/names.ts';
import type { Candidate, Problem } from '../model/discovery.ts';
import { displayKey, displayNamespace } from '../model/key.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { StoredName } from '../planning/services-in-use.ts';

/** A requested name, and the backend that has it or had it. */
export interface KeptName {
  readonly name: string;
  /** Its Services, those of now first, and then those that it had. */
  readonly holder: Holder;
  /** When the backend was last seen to ask for it, in milliseconds of `performance.now`. */
  readonly at: number;
  /** Whether it did in the last pass. */
  readonly isAsked: boolean;
  /** When the backend came into use, in the same unit. */
  readonly since: number;
}

/** By the name in lower case. */
export type KeptNames = ReadonlyMap<string, KeptName>;

/** How long a name is kept for a backend that is gone, in milliseconds: an installation may be repeated. */
const NAME_KEPT_MS = 10 * 60_000;

/** Maximum names of backends that are gone, in one namespace and in all: those that were had longest. */
const MAX_KEPT_IN_NAMESPACE = 100;
const MAX_KEPT = 1_000;
/** Maximum Services that are remembered of one backend. */
const MAX_MEMBERS = 16;

/** Whether a Service asked for a name. Default names have a dot. */
const isRequested = (name: string): boolean => !name.includes('.');

const wantedBy = ({ displayName, displayNames = [] }: Candidate): readonly string[] =>
  displayName === undefined ? displayNames : [displayName, ...displayNames];

/** Whether a backend has a Service that belonged to a holder of a name. */
function belongsTo(candidate: Candidate, { cluster, namespace, members }: Holder): boolean {
  const { service } = candidate;
  if (service.cluster !== cluster || service.namespace !== namespace) return false;
  const held = new Set(members);
  return membersOf(candidate).some((name) => held.has(name));
}

/** Removes the names of too many backends that are gone. */
function limited(names: readonly KeptName[]): readonly KeptName[] {
  const counts = new Map<string, number>();
  const gone = names
    .filter(({ isAsked }) => !isAsked)
    .toSorted((a, b) => b.at - b.since - (a.at - a.since) || b.at - a.at);
  const kept = gone.filter(({ holder }) => {
    const place = displayNamespace(holder);
    const count = (counts.get(place) ?? 0) + 1;
    counts.set(place, count);
    return count <= MAX_KEPT_IN_NAMESPACE;
  });
  return [...names.filter(({ isAsked }) => isAsked), ...kept.slice(0, MAX_KEPT)];
}

/** What a pass does with requested names. */
export interface NamesOfPass<T> {
  /** The backends, without requests for names that are kept for others. */
  readonly candidates: readonly T[];
  /** The holders of names, including those for which names are kept. */
  readonly held: Naming['held'];
  /** All requested names that backends have or had. */
  readonly kept: KeptNames;
  readonly problems: readonly Problem[];
}

/** Whether one of some backends asks for a name that it held. */
function askedBy(candidates: readonly Candidate[]): (asked: Pick<KeptName, 'name' | 'holder'>) => boolean {
  const wanting = new Map<string, Candidate[]>();
  for (const candidate of candidates)
    for (const name of wantedBy(candidate)) {
      const lower = name.toLowerCase();
      const known = wanting.get(lower);
      if (known === undefined) wanting.set(lower, [candidate]);
      else known.push(candidate);
    }
  return ({ name, holder }) =>
    wanting.get(name.toLowerCase())?.some((each) => belongsTo(each, holder)) === true;
}

/** What is known in a pass. */
export interface KnownOfNames {
  /** The holders of names before it. */
  readonly held: Naming['held'];
  readonly before: KeptNames;
  /** All backends before they were probed: some are not found because of their answers. */
  readonly possible: readonly Candidate[];
  /** The Services that ask for names, by the name in lower case, whatever backend they belong to. */
  readonly asking: () => ReadonlyMap<string, ReadonlySet<ServiceKey>>;
  /** When backends came into use. */
  readonly since: ReadonlyMap<ServiceKey, { readonly at: number }>;
  /** Milliseconds of `performance.now`. */
  readonly now: number;
}

/** The holder of a name with the Services that it had before. */
function joined(holder: Holder, before: Holder | undefined): Holder {
  if (before === undefined || before.cluster !== holder.cluster || before.namespace !== holder.namespace)
    return holder;
  return { ...holder, members: [...new Set([...holder.members, ...before.members])].slice(0, MAX_MEMBERS) };
}

/**
 * Keeps requested names for the backends that have them: as long as one of their Services asks for it, whatever it answers,
 * and ten minutes longer. Until then, no other backend gets it, except one of the same namespace once all Services that had it
 * exist and none asks for it. Pure.
 * @param candidates the backends that were found
 */
export function keepNames<T extends Candidate>(
  candidates: readonly T[],
  { held, before, possible, asking, since, now }: KnownOfNames,
): NamesOfPass<T> {
  const requested = [...held].filter(([name]) => isRequested(name));
  if (requested.length === 0 && before.size === 0) return { candidates, held, kept: before, problems: [] };
  const isFound = askedBy(candidates);
  const isPossible = askedBy(possible);
  const requests = asking();
  const isRequestedStill = ({ name, holder: { members, ...place } }: KeptName): boolean => {
    const services = requests.get(name.toLowerCase());
    return (
      services !== undefined && members.some((each) => services.has(serviceKey({ ...place, name: each })))
    );
  };
  let known: ReadonlySet<ServiceKey> | undefined;
  const isAnyGone = ({ members, ...place }: Holder): boolean => {
    known ??= new Set(
      possible.flatMap(({ service, alternates }) =>
        [service.name, ...alternates].map((name) => serviceKey({ ...service, name })),
      ),
    );
    return members.some((name) => !known?.has(serviceKey({ ...place, name })));
  };
  const names = new Map(before);
  for (const [name, holder] of requested) {
    const lower = name.toLowerCase();
    const { members, ...place } = holder;
    const [first = ''] = members;
    const earlier = names.get(lower);
    names.set(lower, {
      name,
      holder: joined(holder, earlier?.holder),
      at: earlier?.at ?? now,
      isAsked: true,
      since: earlier?.since ?? since.get(serviceKey({ ...place, name: first }))?.at ?? now,
    });
  }
  const current = [...names.values()].flatMap((each): KeptName[] => {
    if (isFound(each) || isPossible(each) || isRequestedStill(each))
      return [{ ...each, at: now, isAsked: true }];
    return now - each.at < NAME_KEPT_MS ? [{ ...each, isAsked: false }] : [];
  });
  const kept = new Map(limited(current).map((each) => [each.name.toLowerCase(), each]));
  const problems: Problem[] = [];
  const free = candidates.map((candidate): T => {
    /** The other backend for which a name is kept. */
    const otherWith = (name: string): KeptName | undefined => {
      const known = kept.get(name.toLowerCase());
      if (known === undefined || belongsTo(candidate, known.holder)) return undefined;
      const { cluster, namespace } = candidate.service;
      const isOwn = known.holder.cluster === cluster && known.holder.namespace === namespace;
      // Within a namespace, it may be moved.
      return isOwn && !known.isAsked && !isAnyGone(known.holder) ? undefined : known;
    };
    const isOthers = (name: string): boolean => otherWith(name) !== undefined;
    const { service, displayName, displayNames } = candidate;
    if (!wantedBy(candidate).some(isOthers)) return candidate;
    const other = displayName === undefined ? undefined : otherWith(displayName);
    if (displayName !== undefined && other !== undefined) {
      const what = `asks for the tool name ${displayName}, and does not get it`;
      const { members, ...place } = other.holder;
      problems.push({
        where: `Service ${displayKey(service)}`,
        ...(isFound(other)
          ? {
              what: `${what}: the backend of Service ${displayKey({ ...place, name: members[0] ?? '' })} has that name`,
              fix: 'give it another name',
            }
          : {
              what: `${what} for up to ten minutes: another backend had it, and may come back`,
              fix: 'wait, or give it another name',
            }),
      });
    }
    return {
      ...candidate,
      displayName: other === undefined ? displayName : undefined,
      ...(displayNames === undefined ? {} : { displayNames: displayNames.filter((name) => !isOthers(name)) }),
    };
  });
  const holders = [...kept.values()].map(({ name, holder }) => [name, holder] as const);
  return { candidates: free, held: new Map([...held, ...holders]), kept, problems };
}

/**
 * The kept names that published tools do not show with all Services that had them, to be published, those that were had longest
 * first.
 * @param shown the names of the tools, and their Services
 * @param published the names that are published now. A time that is published stays, so that two processes that both publish agree
 */
export function namesToPublish(
  kept: KeptNames,
  shown: ReadonlyMap<string, Holder>,
  published: readonly StoredName[] = [],
): StoredName[] {
  const stored = new Map(published.map(({ name, namespace, gone }) => [`${namespace}/${name}`, gone]));
  const isShown = ({ name, holder: { members } }: KeptName): boolean => {
    const tool = shown.get(name);
    return tool !== undefined && members.every((each) => tool.members.includes(each));
  };
  const seconds = (milliseconds: number): number => Math.round(milliseconds / 1_000);
  return [...kept.values()]
    .filter((each) => !isShown(each))
    .toSorted((a, b) => b.at - b.since - (a.at - a.since))
    .map(({ name, holder: { cluster, namespace, members }, at, since, isAsked }) => ({
      ...{ name, cluster, namespace, members },
      gone: isAsked
        ? undefined
        : (stored.get(`${namespace}/${name}`) ?? {
            ...{ at: seconds(performance.timeOrigin + at), used: seconds(at - since) },
          }),
    }));
}

/** The kept names as they are published. @param now milliseconds of `performance.now` */
export function namesFrom(stored: readonly StoredName[], now: number): KeptNames {
  return new Map(
    stored.map(({ name, cluster, namespace, members, gone }) => {
      const at = gone === undefined ? now : gone.at * 1_000 - performance.timeOrigin;
      const since = gone === undefined ? 0 : at - gone.used * 1_000;
      return [
        name.toLowerCase(),
        { name, holder: { cluster, namespace, members }, at, isAsked: gone === undefined, since },
      ];
    }),
  );
}
