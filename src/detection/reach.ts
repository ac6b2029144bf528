import type { AddressBook, Addresses } from '../model/addresses.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { displayKey, displayNamespace } from '../model/key.ts';
import { objectName, objectOf } from '../model/part.ts';
import { sameItems } from '../model/same.ts';
import type { Service, ServiceName } from '../model/service.ts';
import { isOwnHost, serviceOfHost } from '../model/service-host.ts';

/** Maximum pairs of Services with a common address to visit per namespace. */
const MAX_PAIRS = 200_000;
/** Maximum target hosts per Service. */
const MAX_TARGETS = 256;

type Place = Pick<ServiceName, 'cluster' | 'namespace'>;

/** Whether two versions of a Service are equivalent here. */
const leadsAlike = (one: Service, other: Service | undefined): boolean =>
  one === other ||
  (other !== undefined &&
    one.name === other.name &&
    one.created === other.created &&
    one.externalName === other.externalName &&
    sameItems(one.clusterIPs, other.clusterIPs));

/** An index of the Services of one namespace by address. Names are sorted by age, oldest first. */
class NamespaceIndex {
  /** `undefined` if EndpointSlices cannot be read. */
  readonly addresses: ReadonlyMap<string, Addresses> | undefined;
  readonly services: ReadonlyMap<string, Service>;
  readonly #names: readonly string[];
  readonly #order: ReadonlyMap<string, number>;
  readonly #byPlace = new Map<string, string[]>();
  readonly #byClusterIP = new Map<string, string>();
  readonly #behind = new Map<string, readonly string[]>();
  readonly #cut: readonly string[];
  #pairs = 0;

  constructor(services: readonly Service[], addresses: ReadonlyMap<string, Addresses> | undefined) {
    this.addresses = addresses;
    this.services = new Map(services.map((service) => [service.name, service]));
    const made = (name: string): string => this.services.get(name)?.created ?? '~';
    this.#names = [...new Set([...this.services.keys(), ...(addresses?.keys() ?? [])])].sort((a, b) => {
      const [x, y] = [made(a), made(b)];
      return x < y ? -1 : x > y ? 1 : a < b ? -1 : 1;
    });
    this.#order = new Map(this.#names.map((name, index) => [name, index]));
    this.#cut = this.#names.filter((name) => this.isCut(name));
    for (const { name, clusterIPs = [] } of services)
      for (const clusterIP of clusterIPs) this.#byClusterIP.set(clusterIP, name);
    for (const name of this.#names)
      for (const place of this.#placesOf(name)) {
        const names = this.#byPlace.get(place);
        if (names === undefined) this.#byPlace.set(place, [name]);
        else names.push(name);
      }
  }

  /** Whether these Services are equivalent to the indexed ones. */
  isOf(services: readonly Service[]): boolean {
    return (
      services.length === this.services.size &&
      services.every((service) => leadsAlike(service, this.services.get(service.name)))
    );
  }

  /** Resets the count of visited pairs. */
  resetPairs(): this {
    this.#pairs = 0;
    return this;
  }

  isCut(name: string): boolean {
    return this.addresses?.get(name)?.isCut === true;
  }

  /** All addresses of a Service, including cluster IPs, because a tenant may write them into a slice of another Service. */
  #placesOf(name: string): Set<string> {
    const { externalName, clusterIPs = [] } = this.services.get(name) ?? {};
    const listed = this.addresses?.get(name)?.listed ?? [];
    return new Set([...listed, ...clusterIPs, ...(externalName === undefined ? [] : [externalName])]);
  }

  /** The names of the Services with an address. */
  at(address: string): readonly string[] {
    return this.#byPlace.get(address) ?? [];
  }

  /**
   * The Services whose cluster IPs are addresses of this one, and transitively those whose cluster IPs are addresses of
   * them: their Pods are Pods of this Service. All Services after too many comparisons.
   */
  behind(name: string): readonly string[] {
    const known = this.#behind.get(name);
    if (known !== undefined) return known;
    const reached = new Set([name]);
    // The set grows during the loop, and a set iterates over added items too.
    for (const each of reached)
      for (const address of this.addresses?.get(each)?.listed ?? []) {
        if (++this.#pairs > MAX_PAIRS) return this.#names;
        const next = this.#byClusterIP.get(address);
        if (next !== undefined) reached.add(next);
      }
    reached.delete(name);
    const behind = [...reached];
    this.#behind.set(name, behind);
    return behind;
  }

  /**
   * The Services that share an address with this one or with one behind it, including itself. All Services if its
   * addresses are incomplete.
   * @param selecting the Services that share Pods with one by selector; that of this Service is returned unchanged if
   *   there are no others
   */
  sharing(name: string, selecting: (name: string) => readonly string[]): readonly string[] {
    const known = selecting(name);
    const behind = this.behind(name);
    if (this.#pairs > MAX_PAIRS || [name, ...behind].some((each) => this.isCut(each))) return this.#names;
    const isKnown = setOf(known);
    const others = new Set(
      [...this.#cut, ...behind, ...behind.flatMap(selecting)].filter((each) => !isKnown.has(each)),
    );
    for (const from of [name, ...behind])
      for (const place of this.#placesOf(from)) {
        const names = this.at(place);
        this.#pairs += names.length;
        if (this.#pairs > MAX_PAIRS) return this.#names;
        for (const each of names) if (!isKnown.has(each)) others.add(each);
      }
    others.delete(name);
    if (others.size === 0) return known;
    const place = (each: string): number => this.#order.get(each) ?? this.#names.length;
    return [...new Set([name, ...known, ...others])].sort((a, b) => place(a) - place(b));
  }

  /** Whether all addresses of one Service are known to be addresses of the other. */
  isWithin(name: string, other: string): boolean {
    const [one, another] = [this.addresses?.get(name), this.addresses?.get(other)];
    if (one === undefined || another === undefined || one.isCut || one.listed.length === 0) return false;
    const all = new Set(another.listed);
    return one.listed.every((address) => all.has(address));
  }
}

/** Cache of sets, because many Services share the same array of names. */
const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

function setOf(names: readonly string[]): ReadonlySet<string> {
  const known = sets.get(names);
  if (known !== undefined) return known;
  const made = new Set(names);
  sets.set(names, made);
  return made;
}

/** Namespaces, indexed lazily. */
class Namespaces {
  readonly #services: ReadonlyMap<string, readonly Service[]>;
  readonly #book: AddressBook | undefined;
  readonly #made = new Map<string, NamespaceIndex>();

  constructor(services: readonly Service[], book: AddressBook | undefined) {
    this.#services = Map.groupBy(services, displayNamespace);
    this.#book = book;
  }

  of(place: Place): NamespaceIndex {
    const key = displayNamespace(place);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = namespaceOf(this.#services.get(key) ?? [], this.#book?.addressesIn(place));
    this.#made.set(key, made);
    return made;
  }
}

/** The last index by address book. */
const lastMade = new WeakMap<ReadonlyMap<string, Addresses>, NamespaceIndex>();

/** Indexes a namespace. Reuses the last index if Services and addresses are unchanged, because there may be thousands. */
function namespaceOf(
  services: readonly Service[],
  addresses: ReadonlyMap<string, Addresses> | undefined,
): NamespaceIndex {
  if (addresses === undefined) return new NamespaceIndex(services, addresses);
  const known = lastMade.get(addresses);
  if (known?.isOf(services) === true) return known.resetPairs();
  const made = new NamespaceIndex(services, addresses);
  lastMade.set(addresses, made);
  return made;
}

/** The DNS name of a Pod's address, `10-0-0-1.NAMESPACE.pod.DOMAIN`. */
const POD = /^(?<address>[0-9a-f-]+)\.(?<namespace>[^.]+)\.pod(?:\.|$)/;

/**
 * The other hosts that a backend points to: those that its owner names, the Services of these hosts, and transitively what
 * these point to. Services have the form `SERVICE.NAMESPACE.svc`.
 */
function targetsOf(
  { service, endpoint }: DiscoveredService,
  namespaces: Namespaces,
  sharing: (service: ServiceName) => readonly string[],
): string[] {
  const targets = new Set<string>();
  const add = (...hosts: readonly string[]): void => {
    for (const host of hosts) if (targets.size < MAX_TARGETS) targets.add(host);
  };
  const { cluster } = service;
  if (!isOwnHost(service, endpoint.host)) add(endpoint.host.toLowerCase());
  if (service.externalName !== undefined) add(service.externalName);
  // The set grows during the loop, and a set iterates over added items too.
  for (const host of targets) {
    const pod = POD.exec(host)?.groups;
    const place = { cluster, namespace: pod?.namespace ?? service.namespace };
    const address = pod?.address ?? host;
    const dotted = address.replaceAll('-', address.includes('--') ? ':' : '.');
    for (const name of namespaces.of(place).at(dotted)) add(`${name}.${place.namespace}.svc`);
    const named = serviceOfHost(host);
    if (named === undefined) continue;
    const target = { cluster, ...named };
    add(`${target.name}.${target.namespace}.svc`);
    const { externalName } = namespaces.of(target).services.get(target.name) ?? {};
    if (externalName !== undefined) add(externalName);
    add(...sharing(target).map((name) => `${name}.${target.namespace}.svc`));
  }
  return [...targets];
}

type Reach = Pick<DiscoveredService, 'sharesPods' | 'samePods' | 'addresses' | 'targets'>;

/** A result, and the state of the namespace that it follows from. */
interface Result {
  readonly service: DiscoveredService;
  readonly namespace: NamespaceIndex;
}

/** The last results. Unchanged results stay the same objects, so that later stages can skip them. */
const results = new WeakMap<DiscoveredService, Result>();

function withFields(found: DiscoveredService, reach: Reach, namespace: NamespaceIndex): DiscoveredService {
  const known = results.get(found)?.service;
  if (
    known !== undefined &&
    sameItems(known.sharesPods, reach.sharesPods) &&
    sameItems(known.samePods, reach.samePods) &&
    sameItems(known.addresses, reach.addresses) &&
    sameItems(known.targets, reach.targets)
  ) {
    results.set(found, { service: known, namespace });
    return known;
  }
  const service = { ...found, ...reach };
  results.set(found, { service, namespace });
  return service;
}

/** Finds the Services that share Pods with one by selector. Only of backends it is known which these are. */
function bySelector(found: readonly DiscoveredService[]): (service: ServiceName) => readonly string[] {
  const known = new Map(found.map((each) => [displayKey(objectOf(each.service)), each.sharesPods ?? []]));
  const byNamespace = Map.groupBy(found, ({ service }) => displayNamespace(service));
  const others = new Map<string, readonly string[]>();
  return (service) => {
    const key = displayKey(service);
    const names =
      known.get(key) ??
      others.get(key) ??
      (byNamespace.get(displayNamespace(service)) ?? []).flatMap((each) =>
        setOf(each.sharesPods ?? []).has(service.name) ? [each.service.name] : [],
      );
    if (!known.has(key)) others.set(key, names);
    return names;
  };
}

/**
 * Adds what EndpointSlices, cluster IPs and ExternalNames say about the Pods of Services, beyond selectors. Services with a
 * common address count as sharing Pods, so that a tenant cannot evade overrides with an EndpointSlice. In contrast,
 * credentials are shared only if all addresses of one Service are known to be addresses of the other. Pure; keeps the order.
 * @param services all relevant Services, whether backends or not
 * @param book addresses from EndpointSlices; without it, as for manifests, only selectors count
 */
export function withReach(
  found: readonly DiscoveredService[],
  services: readonly Service[],
  book: AddressBook | undefined,
): { readonly services: readonly DiscoveredService[]; readonly problems: readonly Problem[] } {
  const namespaces = new Namespaces(services, book);
  const selecting = bySelector(found);
  const sharing = (service: ServiceName): readonly string[] =>
    namespaces.of(service).sharing(service.name, (name) => selecting({ ...service, name }));
  const problems: Problem[] = [];
  const reached = found.map((each): DiscoveredService => {
    const { samePods = [] } = each;
    const service = objectOf(each.service);
    const namespace = namespaces.of(service);
    if (namespace.isCut(service.name)) problems.push(cutProblem(service));
    const known = results.get(each);
    // Targets depend on other namespaces, and what is behind a Service on the selectors of others.
    const isAlone = known?.service.targets === undefined && namespace.behind(service.name).length === 0;
    if (known?.namespace === namespace && isAlone) return known.service;
    const sharesPods = sharing(service);
    const trusted =
      book === undefined
        ? samePods
        : samePods.filter((name) => namespace.isWithin(service.name, objectName({ name })));
    const targets = targetsOf(each, namespaces, sharing);
    const { listed: addresses = [] } = namespace.addresses?.get(service.name) ?? {};
    const reach = {
      ...(sharesPods.length < 2 ? {} : { sharesPods }),
      ...(each.samePods === undefined ? {} : { samePods: trusted }),
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(targets.length === 0 ? {} : { targets }),
    };
    return withFields(each, reach, namespace);
  });
  return { services: reached, problems };
}

const cutProblem = (service: ServiceName): Problem => ({
  where: `Service ${displayKey(service)}`,
  what: 'has more addresses in EndpointSlices than are kept (512 of a Service, 8,192 of a namespace), so what overrides.yaml says about any Service of its namespace counts for it, and it gets no credentials of another',
});
