import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { nameOfAddress, sameBackend } from '../../../model/same-url.ts';
import { HOLMES, own } from '../contract/models.ts';
import { addressesOf, carriesCredentials, isAddress, isCommon, type Shape } from '../contract/shape.ts';
import { distinctNames } from '../render/instance-names.ts';

/** The fields of a mapping that satisfy a predicate. */
export function fieldsWhere(map: Mapping, holds: (field: string, value: unknown) => boolean): Mapping {
  return Object.fromEntries(Object.entries(map).filter(([field, value]) => holds(field, value)));
}

/** A configuration in its parts. */
export interface Parts {
  /** The list, if HolmesGPT would read it as one. */
  readonly list: readonly Mapping[];
  /** The fields next to it, without `null`s; without a list, the only backend. */
  readonly beside: Mapping;
  /** The hand-written text removes the list or the address, so no generated backend stays. */
  readonly exclusive: boolean;
}

/** The parts of a configuration; `undefined` if HolmesGPT would reject its list. */
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

/** An entry of a list with the fields that it inherits. Of fields that belong together it inherits all or none. */
export function inherited(beside: Mapping, entry: Mapping): Mapping {
  const dropped = HOLMES.inheritedTogether.filter((group) => group.some((key) => key in entry)).flat();
  return { ...fieldsWhere(beside, (field) => !dropped.includes(field)), ...entry };
}

/** Hand-written backends, each complete. */
export interface HandWrittenBackends {
  readonly entries: readonly Mapping[];
  /** Options next to the list that are safe for every backend. */
  readonly common: Mapping;
  /** Explains an interpretation that the author may not expect. */
  readonly note?: string;
}

/**
 * Removes secrets next to a list. HolmesGPT does not use fields next to such a list as defaults of its entries, so the
 * secrets would have no effect next to entries of others.
 */
function withoutIdleSecrets(list: readonly Mapping[], beside: Mapping): HandWrittenBackends {
  const idle = Object.keys(beside).filter((field) => carriesCredentials(field, beside[field]));
  if (list.length === 0 || idle.length === 0) return { entries: list, common: beside };
  return {
    entries: list,
    common: fieldsWhere(beside, (field) => !idle.includes(field)),
    note: `${idle.join(', ')}: HolmesGPT does not use this next to the list, so it is left out; write it into the entry that it is for`,
  };
}

/** The backends of a hand-written configuration. */
export function handWrittenBackends({ list, beside }: Parts, { name, flat }: Shape): HandWrittenBackends {
  if (!flat || name === undefined) return withoutIdleSecrets(list, beside);
  // An empty address does not count: HolmesGPT then behaves as without one.
  const address = Object.keys(beside).find((field) => addressesOf({ [field]: beside[field] }).length > 0);
  if (list.length === 0)
    return address === undefined
      ? { entries: [], common: beside }
      : { entries: [{ [name]: 'default', ...beside }], common: {} };
  const common = fieldsWhere(beside, isCommon);
  const own = fieldsWhere(beside, (field) => !Object.hasOwn(common, field));
  if (address === undefined || list.some((entry) => addressesOf(entry).length === 0))
    return { entries: list.map((entry) => inherited(own, entry)), common };
  // Each instance has an address, so HolmesGPT would never use the one next to them, and the credentials belong to that
  // address.
  const shared = fieldsWhere(own, (field, value) => !isAddress(field) && !carriesCredentials(field, value));
  return {
    entries: [{ [name]: 'default', ...own }, ...list.map((entry) => inherited(shared, entry))],
    common,
    note: `${address} is set next to instances, so it becomes an instance of its own, and the credentials next to it are used only for it`,
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

/** Whether a hand-written entry and a generated one have the same backend. */
export function isSame(handWritten: Mapping, generated: Mapping, namespace?: string): boolean {
  return addressesOf(generated).some((ours) =>
    addressesOf(handWritten).some((theirs) => sameBackend(theirs, ours, namespace)),
  );
}

/** The generated backends to append to hand-written ones: without duplicates, and each with an unused name. */
export function besideHandWritten(
  ours: readonly Mapping[],
  theirs: readonly Mapping[],
  { name, unnamed }: Shape,
  namespace: string | undefined,
): Mapping[] {
  const left = ours.filter((entry) => !theirs.some((each) => isSame(each, entry, namespace)));
  if (name === undefined) return left;
  const taken = theirs.map((entry, index) => String(own(entry, name) || unnamed(index)));
  const reserved = new Set(taken.map((each) => each.toLowerCase()));
  // A number behind a person's name would look like another backend of that person.
  const nameOf = (entry: Mapping): string => {
    const given = String(own(entry, name));
    return reserved.has(given.toLowerCase()) ? nameOfAddress(addressesOf(entry)[0]) : given;
  };
  const names = distinctNames(
    left.map((entry) => ({ tool: nameOf(entry) })),
    taken,
  );
  return left.map((entry, index) => ({ ...entry, [name]: names[index] }));
}
