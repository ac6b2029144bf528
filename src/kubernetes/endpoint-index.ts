import type { ServiceKey } from '../model/service.ts';

/** The part of an EndpointSlice that is kept in memory. */
export interface SliceState {
  readonly service: ServiceKey;
  /** Whether at least one endpoint is ready. */
  readonly ready: boolean;
  /** Pod ports by the names of the Service's ports, only for headless Services. */
  readonly ports?: Readonly<Record<string, number>>;
}

/** The EndpointSlices of one Service, combined. */
export interface ServiceEndpoints {
  /** Whether at least one endpoint is ready. */
  readonly ready: boolean;
  /** Pod ports by the names of a headless Service's ports. Ports of ready Pods take precedence. */
  readonly ports: ReadonlyMap<string, number>;
}

/** An index of EndpointSlices by Service. */
export class EndpointIndex {
  readonly #slices = new Map<string, SliceState>();
  readonly #byService = new Map<ServiceKey, Set<string>>();

  /** @param slices by key */
  constructor(slices: ReadonlyMap<string, SliceState> = new Map()) {
    for (const [key, slice] of slices) this.put(key, slice);
  }

  /** Adds or replaces a slice. */
  put(key: string, slice: SliceState): void {
    this.drop(key);
    this.#slices.set(key, slice);
    const keys = this.#byService.get(slice.service);
    if (keys === undefined) this.#byService.set(slice.service, new Set([key]));
    else keys.add(key);
  }

  /** Removes a slice. */
  drop(key: string): void {
    const slice = this.#slices.get(key);
    if (slice === undefined) return;
    this.#slices.delete(key);
    const keys = this.#byService.get(slice.service);
    keys?.delete(key);
    if (keys?.size === 0) this.#byService.delete(slice.service);
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
    const keys = this.#byService.get(service);
    if (keys === undefined) return undefined;
    const slices = [...keys].sort().flatMap((key) => this.#slices.get(key) ?? []);
    const ports = new Map<string, number>();
    for (const { ports: given = {} } of slices.toSorted((a, b) => Number(b.ready) - Number(a.ready)))
      for (const [name, port] of Object.entries(given)) if (!ports.has(name)) ports.set(name, port);
    return { ready: slices.some(({ ready }) => ready), ports };
  }
}
