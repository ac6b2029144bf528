/**
 * `namespace/group`, with the cluster first unless it is the home cluster. The group is the name of the Service that was
 * the oldest when the backend was first seen.
 */
export type BackendId = string;

/** A Service that leads to a backend. */
export interface BackendMember {
  readonly name: string;
  /** Its `metadata.creationTimestamp`, RFC 3339. Absent if the source has none. */
  readonly created?: string;
  /** Roles in the product that its name or labels state, such as `gateway`. */
  readonly roles: readonly string[];
}

/** The Services of one backend. */
export interface BackendGroup {
  /** Namespace as `displayNamespace` writes it, so it includes the cluster. */
  readonly namespace: string;
  readonly members: readonly BackendMember[];
}

/** Sorts older Services first, those without a time last, and those of equal age by name. */
export function byAge(a: BackendMember, b: BackendMember): number {
  const [first, second] = [a.created ?? '~', b.created ?? '~'];
  if (first !== second) return first < second ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** A claim of a group on an existing id, because they share a Service. */
interface Claim {
  readonly id: BackendId;
  readonly group: number;
  /** Whether the Service that gave the id its name is in the group. */
  readonly isNamesake: boolean;
  /** The oldest shared Service. */
  readonly shared: BackendMember;
}

const idOf = (namespace: string, name: string): BackendId => `${namespace}/${name}`;

/** The claims of groups on existing ids: the strongest one of each pair. */
function claimsOf(
  groups: readonly BackendGroup[],
  before: ReadonlyMap<BackendId, BackendGroup>,
): readonly Claim[] {
  const holders = new Map<string, BackendId[]>();
  for (const [id, { namespace, members }] of before)
    for (const { name } of members) {
      const key = idOf(namespace, name);
      const ids = holders.get(key);
      if (ids === undefined) holders.set(key, [id]);
      else ids.push(id);
    }
  return groups.flatMap(({ namespace, members }, group) => {
    const claims = new Map<BackendId, Claim>();
    for (const member of members)
      for (const id of holders.get(idOf(namespace, member.name)) ?? []) {
        const known = claims.get(id);
        const isNamesake = known?.isNamesake === true || id === idOf(namespace, member.name);
        const shared = known !== undefined && byAge(known.shared, member) < 0 ? known.shared : member;
        claims.set(id, { id, group, isNamesake, shared });
      }
    return [...claims.values()];
  });
}

const byStrength = (a: Claim, b: Claim): number =>
  Number(b.isNamesake) - Number(a.isNamesake) || byAge(a.shared, b.shared) || (a.id < b.id ? -1 : 1);

const NO_MEMBER: BackendMember = { name: '', roles: [] };

const oldestOf = ([first = NO_MEMBER, ...others]: readonly BackendMember[]): BackendMember =>
  others.reduce((oldest, member) => (byAge(member, oldest) < 0 ? member : oldest), first);

/** A free id for a new group: the name of its oldest Service, with a suffix such as `.2` if taken. Names of Services have no dot. */
function newId({ namespace, members }: BackendGroup, taken: ReadonlySet<BackendId>): BackendId {
  const wanted = idOf(namespace, oldestOf(members).name);
  let id = wanted;
  for (let next = 2; taken.has(id); next++) id = `${wanted}.${next}`;
  return id;
}

/**
 * Assigns an id to each group of Services. A group keeps its id while it shares a Service with the previous group of that
 * id, so an id survives changes of the entry point, the type and single Services. If a backend splits, the part with the
 * Service that gave the id its name keeps it, otherwise the part with the oldest Service. Only names and creation times
 * count, which tenants cannot choose freely. Pure; ids are unique.
 * @param reserved ids that are in use elsewhere
 * @returns the ids, in the order of the groups
 */
export function assignIds(
  groups: readonly BackendGroup[],
  before: ReadonlyMap<BackendId, BackendGroup>,
  reserved: Iterable<BackendId> = [],
): readonly BackendId[] {
  const ids: (BackendId | undefined)[] = groups.map(() => undefined);
  const taken = new Set<BackendId>(reserved);
  for (const { id, group } of [...claimsOf(groups, before)].sort(byStrength)) {
    if (ids[group] !== undefined || taken.has(id)) continue;
    ids[group] = id;
    taken.add(id);
  }
  // Ids of other backends are not reused at once. Older groups choose first, so the order of groups does not matter.
  for (const id of before.keys()) taken.add(id);
  const newcomers = groups
    .flatMap((group, index) =>
      ids[index] === undefined ? [{ index, group, age: oldestOf(group.members) }] : [],
    )
    .sort((a, b) => byAge(a.age, b.age));
  for (const { index, group } of newcomers) {
    const id = newId(group, taken);
    ids[index] = id;
    taken.add(id);
  }
  return ids.map((id) => id ?? '');
}
