import { isMapping, type Mapping } from '../../model/mapping.ts';
import { nameOfAddress, sameBackend } from '../../model/same-url.ts';
import { HOLMES, own } from './models.ts';
import { addressesOf, carriesCredentials, isAddress, isCommon, type Shape } from './shape.ts';

/** The fields of a mapping for which something holds. */
export function fieldsWhere(map: Mapping, holds: (field: string, value: unknown) => boolean): Mapping {
  return Object.fromEntries(Object.entries(map).filter(([field, value]) => holds(field, value)));
}

/** A configuration in its parts. */
export interface Parts {
  /** The list, where there is one that HolmesGPT would read as such. */
  readonly list: readonly Mapping[];
  /** What stands beside it; without a list, the one backend. `null`s left out. */
  readonly beside: Mapping;
  /** A person takes the list or the address away: none of the generated backends shall stay. */
  readonly exclusive: boolean;
}

/** The parts of a configuration, or nothing where HolmesGPT would refuse its list. */
export function partsOf(config: Mapping, { list, oldList = list }: Shape): Parts | undefined {
  const given = own(config, list) ?? own(config, oldList) ?? [];
  if (!Array.isArray(given) || !given.every(isMapping)) return undefined;
  const isNull = (field: string): boolean => own(config, field) === null;
  return {
    list: given,
    beside: fieldsWhere(config, (field, value) => field !== list && field !== oldList && value !== null),
    exclusive: isNull(list) || Object.keys(config).some((field) => isAddress(field) && isNull(field)),
  };
}

/** An entry of a list with what it inherits from beside the list: of fields that go together, all or none. */
export function inherited(beside: Mapping, entry: Mapping): Mapping {
  const dropped = HOLMES.inheritedTogether.filter((group) => group.some((key) => key in entry)).flat();
  return { ...fieldsWhere(beside, (field) => !dropped.includes(field)), ...entry };
}

/** A person's backends, each with all that it needs. */
export interface Theirs {
  readonly entries: readonly Mapping[];
  /** Options beside the list that every backend may have. */
  readonly common: Mapping;
  /** What a person should know about how theirs were read. */
  readonly note?: string;
}

/**
 * A list with what stands beside it. HolmesGPT makes nothing beside such a list a default of its entries, so secrets there are
 * of no use, and are not written beside entries of others.
 */
function withoutIdleSecrets(list: readonly Mapping[], beside: Mapping): Theirs {
  const idle = Object.keys(beside).filter((field) => carriesCredentials(field, beside[field]));
  if (list.length === 0 || idle.length === 0) return { entries: list, common: beside };
  return {
    entries: list,
    common: fieldsWhere(beside, (field) => !idle.includes(field)),
    note: `${idle.join(', ')} stand${idle.length === 1 ? 's' : ''} beside the list, where HolmesGPT does not use it, so it is left out; write it into the entry that it is for`,
  };
}

/** The backends that a person configured. */
export function theirsOf({ list, beside }: Parts, { name, flat }: Shape): Theirs {
  if (!flat || name === undefined) return withoutIdleSecrets(list, beside);
  // An empty address is none: HolmesGPT then does what it does without one.
  const address = Object.keys(beside).find((field) => addressesOf({ [field]: beside[field] }).length > 0);
  if (list.length === 0)
    return address === undefined
      ? { entries: [], common: beside }
      : { entries: [{ [name]: 'default', ...beside }], common: {} };
  const common = fieldsWhere(beside, isCommon);
  const own = fieldsWhere(beside, (field) => !Object.hasOwn(common, field));
  if (address === undefined || list.some((entry) => addressesOf(entry).length === 0))
    return { entries: list.map((entry) => inherited(own, entry)), common };
  // Each instance has an address, so HolmesGPT would never use the one beside them, and its credentials are for that.
  const shared = fieldsWhere(own, (field, value) => !isAddress(field) && !carriesCredentials(field, value));
  return {
    entries: [{ [name]: 'default', ...own }, ...list.map((entry) => inherited(shared, entry))],
    common,
    note: `${address} stands beside instances, so it is an instance of its own, and the credentials beside it are for it only`,
  };
}

/** The generated backends of a configuration, each with a name. */
export function generatedBackends(config: Mapping, shape: Shape): readonly Mapping[] {
  const { list = [], beside = {} } = partsOf(config, shape) ?? {};
  if (list.length > 0) return list;
  if (Object.keys(beside).length === 0) return [];
  const { name } = shape;
  return [name === undefined ? beside : { [name]: nameOfAddress(addressesOf(beside)[0]), ...beside }];
}

/** Does a person's entry lead to a generated backend? */
export function isSame(person: Mapping, generated: Mapping, namespace?: string): boolean {
  return addressesOf(generated).some((ours) =>
    addressesOf(person).some((theirs) => sameBackend(theirs, ours, namespace)),
  );
}

/** Generated backends after a person's: without those that the person has too, and each with a name that is free. */
export function besidesTheirs(
  ours: readonly Mapping[],
  theirs: readonly Mapping[],
  { name, unnamed }: Shape,
  namespace: string | undefined,
): Mapping[] {
  const left = ours.filter((entry) => !theirs.some((each) => isSame(each, entry, namespace)));
  if (name === undefined) return left;
  const inLowerCase = (text: unknown): string => String(text).toLowerCase();
  const taken = new Set(theirs.map((entry, index) => inLowerCase(own(entry, name) ?? unnamed(index))));
  return left.map((entry) => {
    const wanted = String(own(entry, name));
    let free = wanted;
    for (let count = 2; taken.has(inLowerCase(free)); count++) free = `${wanted}-${count}`;
    taken.add(inLowerCase(free));
    return { ...entry, [name]: free };
  });
}
