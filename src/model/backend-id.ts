/**
 * `namespace/group`, with the cluster first unless it is the home one. The group has the name of the Service that was the
 * oldest one when the backend was first seen.
 */
export type BackendId = string;

/** A Service that leads to a backend. */
export interface BackendMember {
  readonly name: string;
  /** Its `metadata.creationTimestamp`, RFC 3339; absent where the source has none. */
  readonly created?: string;
  /** Parts of the product that its name or labels tell of, such as `gateway`. */
  readonly roles: readonly string[];
}

/** The Services of one backend. */
export interface BackendGroup {
  /** Namespace as people read it, which is different for different clusters. */
  readonly namespace: string;
  readonly members: readonly BackendMember[];
}

/** Older Services first. Services without a time come last, and equally old ones go by name. */
export function byAge(a: BackendMember, b: BackendMember): number {
  const [first, second] = [a.created ?? '~', b.created ?? '~'];
  if (first !== second) return first < second ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** An id that a group may keep, because they have a Service in common. */
interface Claim {
  readonly id: BackendId;
  readonly group: number;
  /** The Service that gave the id its name is in the group. */
  readonly isNamesake: boolean;
  /** The oldest Service that they have in common. */
  readonly shared: BackendMember;
}

const idOf = (namespace: string, name: string): BackendId => `${namespace}/${name}`;

/** Claims of the groups on the ids of before, the strongest of each pair only. */
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

const NOBODY: BackendMember = { name: '', roles: [] };

const oldestOf = ([first = NOBODY, ...others]: readonly BackendMember[]): BackendMember =>
  others.reduce((oldest, member) => (byAge(member, oldest) < 0 ? member : oldest), first);

/** A free id for a group that has none: the name of its oldest Service, or that with a number, which no Service's name can end in. */
function newId({ namespace, members }: BackendGroup, taken: ReadonlySet<BackendId>): BackendId {
  const wanted = idOf(namespace, oldestOf(members).name);
  let id = wanted;
  for (let next = 2; taken.has(id); next++) id = `${wanted}.${next}`;
  return id;
}

/**
 * Gives each group of Services an id. A group keeps an id while it has a Service in common with the one that had it, so an
 * id survives a change of the entry point, of the type and of single Services. Where a backend was divided, the part with
 * the Service that gave the id its name keeps it, else the part with the older Service. Nothing that an owner writes counts:
 * only names and the times that the API server sets. Pure; no id is given twice.
 * @param reserved ids that others keep
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
  // An id that another backend had until now is not given on. Older groups choose first, so their order does not matter.
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
