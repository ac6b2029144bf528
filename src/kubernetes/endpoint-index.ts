import type { ServiceKey } from '../model/service.ts';

/** What is kept of an EndpointSlice. */
export interface SliceState {
  readonly service: ServiceKey;
  /** Is any of its endpoints ready? */
  readonly ready: boolean;
  /** The numbers of its Pods' ports by the names of the Service's ports; of headless Services only, since others need none. */
  readonly ports?: Readonly<Record<string, number>>;
}

/** What the EndpointSlices of one Service come to. */
export interface ServiceEndpoints {
  /** Is any of its endpoints ready? */
  readonly ready: boolean;
  /** The numbers of its Pods' ports by the names of its own, where it is headless; those of ready Pods win. */
  readonly ports: ReadonlyMap<string, number>;
}

/** EndpointSlices by Service, kept in step slice by slice. */
export class EndpointIndex {
  readonly #slices = new Map<string, SliceState>();
  readonly #byService = new Map<ServiceKey, Set<string>>();

  /** @param slices by their keys */
  constructor(slices: ReadonlyMap<string, SliceState> = new Map()) {
    for (const [key, slice] of slices) this.put(key, slice);
  }

  /** A slice that came or changed. */
  put(key: string, slice: SliceState): void {
    this.drop(key);
    this.#slices.set(key, slice);
    const keys = this.#byService.get(slice.service);
    if (keys === undefined) this.#byService.set(slice.service, new Set([key]));
    else keys.add(key);
  }

  /** A slice that is gone. */
  drop(key: string): void {
    const slice = this.#slices.get(key);
    if (slice === undefined) return;
    this.#slices.delete(key);
    const keys = this.#byService.get(slice.service);
    keys?.delete(key);
    if (keys?.size === 0) this.#byService.delete(slice.service);
  }

  /** The Service that a slice belongs to. */
  serviceOf(key: string): ServiceKey | undefined {
    return this.#slices.get(key)?.service;
  }

  services(): IterableIterator<ServiceKey> {
    return this.#byService.keys();
  }

  /** `undefined` for a Service without EndpointSlices. */
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
