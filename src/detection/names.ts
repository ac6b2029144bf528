import { type Candidate, lastingAlternates, type Problem, type Verdict } from '../model/discovery.ts';
import { compareKeys, displayKey, HOME_CLUSTER } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { defaultName, keyOfService, type ServiceKey, serviceKey } from '../model/service.ts';

/** The Services of the backend that holds a name. */
export interface Holder {
  readonly cluster: string;
  readonly namespace: string;
  /** The names of its Services, entry point first. */
  readonly members: readonly string[];
}

/** The inputs for assigning names and entry points. */
export interface Naming {
  /** The current holders of names. */
  readonly held: ReadonlyMap<string, Holder>;
  /** Names in overrides, in lower case. No Service may take one. */
  readonly reserved: ReadonlySet<string>;
  /** Services that overrides or credentials name. They are preferred as entry points, because what is written applies to them. */
  readonly named: ReadonlySet<ServiceKey>;
  /**
   * Backends for which people configured credentials or options without naming a Service, as `TYPE NAMESPACE`. Each of the two
   * may be `*`.
   */
  readonly configured?: ReadonlySet<string>;
  /** Services with a URL in overrides. Their own responses do not count. */
  readonly placed: ReadonlySet<ServiceKey>;
}

export const NO_NAMING: Naming = {
  held: new Map(),
  reserved: new Set(),
  named: new Set(),
  placed: new Set(),
};

/** Names of the Services of a backend that may hold its name, entry point first. */
export const membersOf = (candidate: Candidate): string[] => [
  candidate.service.name,
  ...lastingAlternates(candidate),
];

/** The current names of candidates. */
export function namesOf(candidates: Iterable<Candidate>): Map<string, Holder> {
  const held = new Map<string, Holder>();
  for (const candidate of candidates)
    held.set(candidate.tool, {
      cluster: candidate.service.cluster,
      namespace: candidate.service.namespace,
      members: membersOf(candidate),
    });
  return held;
}

/** The holders of the names of published tools. */
export function publishedNames(tools: readonly PublishedTool[]): Map<string, Holder> {
  const held = new Map<string, Holder>();
  for (const { name, cluster = HOME_CLUSTER, namespace, metadata } of tools) {
    const { service, alternates = '' } = metadata;
    if (namespace === undefined || service === undefined) continue;
    held.set(name, {
      cluster,
      namespace,
      members: [service, ...alternates.split(',').filter((each) => each !== '')],
    });
  }
  return held;
}

/** The keys of all Services that hold a name. */
export function heldKeys(held: ReadonlyMap<string, Holder>): Set<ServiceKey> {
  return new Set(
    [...held.values()].flatMap(({ cluster, namespace, members }) =>
      members.map((name) => serviceKey({ cluster, namespace, name })),
    ),
  );
}

/** Names that HolmesGPT gives to unnamed backends. Source: HolmesGPT 0.45.0, `plugins/toolsets/multi_instance.py`. */
const HOLMES_NAMES = /^(default|instance-\d+)$/;

/** A name that a backend of a Service holds. */
interface Held {
  readonly name: string;
  /** Whether the Service is its entry point. */
  readonly isEntryPoint: boolean;
}

/** The names by Service. */
function byMember(held: ReadonlyMap<string, Holder>): Map<ServiceKey, Held[]> {
  const names = new Map<ServiceKey, Held[]>();
  for (const [name, { cluster, namespace, members }] of held)
    for (const [index, member] of members.entries()) {
      const key = serviceKey({ cluster, namespace, name: member });
      const each = { name, isEntryPoint: index === 0 };
      const known = names.get(key);
      if (known === undefined) names.set(key, [each]);
      else known.push(each);
    }
  return names;
}

/** A candidate with its requested name and its fallback. */
interface Claim<T> {
  readonly candidate: T;
  readonly wanted: string;
  readonly fallback: string;
  /** The default name of its entry point, which no other backend can have. */
  readonly own: string;
  /**
   * Whether it already holds the requested name: 2 if its entry point is the same as before, 1 if another of its Services was.
   * A Service may have left the backend that holds the name.
   */
  readonly holds: 0 | 1 | 2;
  /** Whether it was found not to work. */
  readonly fails: boolean;
}

/** Whether a candidate was probed and cannot be used. */
const isFailing = ({
  verdict,
}: Candidate & { readonly verdict?: Pick<Verdict, 'health' | 'proof'> }): boolean =>
  verdict?.health === 'unhealthy' || verdict?.proof === 'contradicted';

/** The claim of a backend with one Service, which has asked for no name and holds at most its default name; else `undefined`. */
function usualClaim<T extends Candidate>(candidate: T, held: readonly Held[]): Claim<T> | undefined {
  const { alternates, displayName, displayNames = [], service } = candidate;
  if (alternates.length > 0 || displayName !== undefined || displayNames.length > 0) return undefined;
  const own = defaultName(service);
  if (held.some(({ name }) => name !== own)) return undefined;
  const isOwn = held.some(({ isEntryPoint }) => isEntryPoint);
  return {
    candidate,
    wanted: own,
    fallback: own,
    own,
    holds: isOwn ? 2 : held.length > 0 ? 1 : 0,
    fails: isFailing(candidate),
  };
}

/** @param entryPoints the default names of all entry points */
function claimOf<T extends Candidate>(
  candidate: T,
  names: ReadonlyMap<ServiceKey, Held[]>,
  entryPoints: ReadonlySet<string>,
): Claim<T> {
  const { cluster, namespace } = candidate.service;
  const own = names.get(keyOfService(candidate.service)) ?? [];
  const usual = usualClaim(candidate, own);
  if (usual !== undefined) return usual;
  const members = membersOf(candidate);
  const heldBy = (name: string): Held[] => names.get(serviceKey({ cluster, namespace, name })) ?? [];
  // A backend keeps its name if its entry point changes, even to a Service that it did not have before.
  const has = new Set((own.length > 0 ? own : members.flatMap(heldBy)).map(({ name }) => name));
  // Display names have no dot, so they differ from default names.
  const [ownDefault = candidate.tool, ...defaults] = members.map((name) =>
    defaultName({ cluster, namespace, name }),
  );
  // That of another Service, also of one that is gone, is free only while that one has no backend of its own.
  const others = [...defaults, ...[...has].filter((name) => name.includes('.'))];
  const fallback = has.has(ownDefault)
    ? ownDefault
    : (others.find((name) => has.has(name) && !entryPoints.has(name)) ?? ownDefault);
  const { displayName, displayNames = [] } = candidate;
  const wanted = displayNames.find((name) => has.has(name)) ?? displayName ?? fallback;
  const isOwn = own.some(({ name, isEntryPoint }) => isEntryPoint && name === wanted);
  return {
    candidate,
    wanted,
    fallback,
    own: ownDefault,
    holds: isOwn ? 2 : has.has(wanted) ? 1 : 0,
    fails: isFailing(candidate),
  };
}

/** Sorts claims: the current holder of the name first, then those that work, then older Services, then by name. */
function byPrecedence<T extends Candidate>(a: Claim<T>, b: Claim<T>): number {
  const age = ({ candidate }: Claim<T>): string => candidate.service.created ?? '~';
  const key = ({ candidate }: Claim<T>): ServiceKey => keyOfService(candidate.service);
  if (a.holds !== b.holds) return b.holds - a.holds;
  if (a.fails !== b.fails) return Number(a.fails) - Number(b.fails);
  if (age(a) !== age(b)) return age(a) < age(b) ? -1 : 1;
  return compareKeys(key(a), key(b));
}

/**
 * Assigns a unique name to each backend. If several request the same name, ignoring case, the current holder gets it, or
 * else the oldest Service of those that work. The others fall back to `SERVICE.NAMESPACE`. Pure and idempotent.
 */
export function assignNames<T extends Candidate>(
  candidates: readonly T[],
  { held, reserved }: Pick<Naming, 'held' | 'reserved'>,
): { readonly candidates: T[]; readonly problems: readonly Problem[] } {
  const names = byMember(held);
  const entryPoints = new Set(candidates.map(({ service }) => defaultName(service)));
  const claims = candidates.map((candidate) => claimOf(candidate, names, entryPoints));
  const problems: Problem[] = [];
  const given = new Map<T, string>();
  const byName = Map.groupBy(claims, ({ wanted }) => wanted.toLowerCase());
  const byFallback = Map.groupBy(claims, ({ fallback }) => fallback);
  /** The name of one that does not get what it asks for: only its own default name is certainly free. */
  const otherwise = ({ fallback, own }: Claim<T>): string =>
    byName.has(fallback.toLowerCase()) || byFallback.get(fallback)?.length !== 1 ? own : fallback;
  for (const [lower, several] of byName) {
    const [first, ...others] = several.length === 1 ? several : several.toSorted(byPrecedence);
    if (first === undefined) continue;
    const isHolmes = HOLMES_NAMES.test(lower);
    const isReserved = isHolmes || (reserved.has(lower) && first.wanted !== first.fallback);
    if (!isReserved) given.set(first.candidate, first.wanted);
    const why = isReserved
      ? isHolmes
        ? 'HolmesGPT gives that name to backends without one'
        : 'overrides.yaml has that name'
      : `Service ${displayKey(first.candidate.service)} has that name`;
    for (const claim of isReserved ? [first, ...others] : others) {
      const name = otherwise(claim);
      given.set(claim.candidate, name);
      problems.push({
        where: `Service ${displayKey(claim.candidate.service)}`,
        what: `asks for the tool name ${claim.wanted}, and is called ${name}: ${why}`,
        fix: 'give it another name',
      });
    }
  }
  const named = candidates.map((candidate) => {
    const tool = given.get(candidate) ?? candidate.tool;
    return tool === candidate.tool ? candidate : { ...candidate, tool };
  });
  return { candidates: named, problems };
}
