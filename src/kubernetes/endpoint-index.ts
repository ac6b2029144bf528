import type { Addresses } from '../model/addresses.ts';
import { displayNamespace, type ObjectKey, partsOf } from '../model/key.ts';
import type { ServiceKey } from '../model/service.ts';

/** Maximum number of addresses kept for one Service. */
export const MOST_ADDRESSES = 512;
/** Maximum number of addresses kept for the Services of one namespace. */
export const MOST_NAMESPACE_ADDRESSES = 8_192;

/** The part of an EndpointSlice that is kept in memory. */
export interface SliceState {
  readonly service: ServiceKey;
  /** Whether at least one endpoint is ready. */
  readonly ready: boolean;
  /** Pod ports by the names of the Service's ports, only for headless Services. */
  readonly ports?: Readonly<Record<string, number>>;
  /** The addresses of its endpoints, separated by spaces, which takes less memory than a list. */
  readonly addresses?: string;
  /** Whether it has more addresses than are kept. */
  readonly isCut?: boolean;
}

/** The EndpointSlices of one Service, combined. */
export interface ServiceEndpoints {
  /** Whether at least one endpoint is ready. */
  readonly ready: boolean;
  /** Pod ports by the names of a headless Service's ports. Ports of ready Pods take precedence. */
  readonly ports: ReadonlyMap<string, number>;
  readonly addresses: Addresses;
}

interface Kept {
  readonly slices: Set<string>;
  /** The number of addresses that are kept. */
  count: number;
}

const NO_ADDRESSES: ReadonlyMap<string, Addresses> = new Map();

const listOf = ({ addresses = '' }: SliceState): string[] => (addresses === '' ? [] : addresses.split(' '));

/**
 * An index of EndpointSlices by Service. If the addresses of a slice exceed a limit, they are not kept, and the Service is marked
 * as having more.
 */
export class EndpointIndex {
  readonly #slices = new Map<string, SliceState>();
  readonly #byService = new Map<ServiceKey, Kept>();
  /** By namespace, as `displayNamespace` writes it. */
  readonly #byNamespace = new Map<string, { readonly services: Set<ServiceKey>; count: number }>();
  /** Answers of `addressesIn`, by namespace, and the Services that changed since. */
  readonly #answers = new Map<
    string,
    { book: ReadonlyMap<string, Addresses>; readonly stale: Set<ServiceKey> }
  >();

  /** @param slices by key */
  constructor(slices: ReadonlyMap<string, SliceState> = new Map()) {
    for (const [key, slice] of slices) this.put(key, slice);
  }

  /** Adds or replaces a slice. */
  put(key: string, slice: SliceState): void {
    this.drop(key);
    const { service } = slice;
    const place = displayNamespace(partsOf(service));
    const known = this.#byService.get(service) ?? { slices: new Set(), count: 0 };
    const around = this.#byNamespace.get(place) ?? { services: new Set(), count: 0 };
    const count = listOf(slice).length;
    const fits = known.count + count <= MOST_ADDRESSES && around.count + count <= MOST_NAMESPACE_ADDRESSES;
    const { addresses: _, ...rest } = slice;
    this.#slices.set(key, fits ? slice : { ...rest, isCut: true });
    known.slices.add(key);
    around.services.add(service);
    if (fits) {
      known.count += count;
      around.count += count;
    }
    this.#byService.set(service, known);
    this.#byNamespace.set(place, around);
    this.#answers.get(place)?.stale.add(service);
  }

  /** Removes a slice. */
  drop(key: string): void {
    const slice = this.#slices.get(key);
    if (slice === undefined) return;
    this.#slices.delete(key);
    const { service } = slice;
    const place = displayNamespace(partsOf(service));
    const [known, around] = [this.#byService.get(service), this.#byNamespace.get(place)];
    if (known === undefined || around === undefined) return;
    this.#answers.get(place)?.stale.add(service);
    const count = listOf(slice).length;
    known.count -= count;
    around.count -= count;
    known.slices.delete(key);
    if (known.slices.size > 0) return;
    this.#byService.delete(service);
    around.services.delete(service);
    if (around.services.size > 0) return;
    this.#byNamespace.delete(place);
    this.#answers.delete(place);
  }

  /** The Service of a slice. */
  serviceOf(key: string): ServiceKey | undefined {
    return this.#slices.get(key)?.service;
  }

  services(): IterableIterator<ServiceKey> {
    return this.#byService.keys();
  }

  /** The endpoints of a Service; undefined if it has no EndpointSlices. */
  get(service: ServiceKey): ServiceEndpoints | undefined {
    const keys = this.#byService.get(service)?.slices;
    if (keys === undefined) return undefined;
    const slices = [...keys].sort().flatMap((key) => this.#slices.get(key) ?? []);
    const ports = new Map<string, number>();
    for (const { ports: given = {} } of slices.toSorted((a, b) => Number(b.ready) - Number(a.ready)))
      for (const [name, port] of Object.entries(given)) if (!ports.has(name)) ports.set(name, port);
    return {
      ready: slices.some(({ ready }) => ready),
      ports,
      addresses: {
        listed: [...new Set(slices.flatMap(listOf))].sort(),
        isCut: slices.some(({ isCut }) => isCut === true),
      },
    };
  }

  /**
   * The addresses of each Service of a namespace that has EndpointSlices, by name. As long as none of them changes, it returns the same map.
   */
  addressesIn(namespace: Pick<ObjectKey, 'cluster' | 'namespace'>): ReadonlyMap<string, Addresses> {
    const place = displayNamespace(namespace);
    // The name of the namespace may come from a tenant, so nothing is stored for namespaces without slices.
    if (!this.#byNamespace.has(place)) return NO_ADDRESSES;
    const answer = this.#answers.get(place);
    if (answer?.stale.size === 0) return answer.book;
    const book = new Map(answer?.book);
    for (const service of answer?.stale ?? this.#byNamespace.get(place)?.services ?? []) {
      const endpoints = this.get(service);
      if (endpoints === undefined) book.delete(partsOf(service).name);
      else book.set(partsOf(service).name, endpoints.addresses);
    }
    this.#answers.set(place, { book, stale: new Set() });
    return book;
  }
}
