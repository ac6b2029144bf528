import pLimit from 'p-limit';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { EndpointIndex, ServiceEndpoints } from '../kubernetes/endpoint-index.ts';
import { readEndpoints } from '../kubernetes/endpoint-slices.ts';
import { isDenied } from '../kubernetes/status.ts';
import type { WatchedReadiness } from '../kubernetes/watch-readiness.ts';
import type { AddressBook, Addresses } from '../model/addresses.ts';
import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import { HOME_CLUSTER, type ObjectKey } from '../model/key.ts';
import { objectOf } from '../model/part.ts';
import { serviceKey } from '../model/service.ts';
import type { Prober } from './prober.ts';

/** Maximum concurrent list requests. */
const MAX_CONCURRENT_LISTS = 8;
/** How long to reuse a list while the watch is not synced, in milliseconds. There may be several passes per second. */
const LIST_TTL = 5_000;

export interface ReadinessOptions {
  /** The watch of EndpointSlices. Without it, and while it is not synced, they are listed. */
  readonly watched?: WatchedReadiness;
  /**
   * Whether the route addresses the Service, so that the API server chooses the port of the Pod. A response then does not
   * prove the port in the URL of a headless Service.
   */
  readonly byService?: boolean;
  /** `false` without probes. EndpointSlices then only provide addresses, and make no Service unhealthy. */
  readonly isProbing?: boolean;
  /** Monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

const unhealthy = (reason: string, fault?: 'not_ready'): Verdict => ({
  health: 'unhealthy',
  authRequired: false,
  proof: 'unproven',
  ...(fault === undefined ? {} : { fault }),
  reason,
  steps: [],
});

/** The names of the Service port and of its named target port, for a headless Service whose port number must be found. */
function namedPort({
  service,
  servicePort,
}: Candidate): { readonly name: string; readonly target: string } | undefined {
  if (!service.headless) return undefined;
  const port = service.ports.find((each) => each.port === servicePort && each.protocol === 'TCP');
  return typeof port?.targetPort === 'string'
    ? { name: port.name ?? '', target: port.targetPort }
    : undefined;
}

/**
 * Checks EndpointSlices before probing: a Service without a ready endpoint is unhealthy, and is not probed. Also finds
 * the number of a named target port of a headless Service, and provides the addresses of Services. Without permission to
 * read EndpointSlices, or without any, all backends are probed.
 */
export class ReadinessProber implements Prober, AddressBook {
  readonly #kube: KubeClient;
  readonly #prober: Prober;
  readonly #watched: WatchedReadiness | undefined;
  readonly #byService: boolean;
  readonly #isProbing: boolean;
  readonly #now: () => number;
  readonly #lists = pLimit(MAX_CONCURRENT_LISTS);
  /** By namespace, or `*` for all. A probe waits only for those of its own namespace. */
  readonly #endpoints = new Map<string, Promise<EndpointIndex | undefined>>();
  /** The last known endpoints, by namespace, or `*` for all. A failed list keeps them. */
  readonly #lastKnown = new Map<string, EndpointIndex>();
  readonly #cachedLists = new Map<string, { readonly at: number; readonly endpoints: EndpointIndex }>();

  constructor(kube: KubeClient, prober: Prober, options: ReadinessOptions = {}) {
    const { watched, byService = false, isProbing = true, now = () => performance.now() } = options;
    this.#kube = kube;
    this.#prober = prober;
    this.#watched = watched;
    this.#byService = byService;
    this.#isProbing = isProbing;
    this.#now = now;
  }

  async prepare(candidates: readonly Candidate[], signal: AbortSignal): Promise<readonly Problem[]> {
    const prepared = this.#prober.prepare?.(candidates, signal);
    // EndpointSlices are read in the home cluster only.
    const here = candidates.filter(({ service }) => service.cluster === HOME_CLUSTER);
    const namespaces = [...new Set(here.map(({ service }) => service.namespace))].sort();
    this.#endpoints.clear();
    this.#watched?.setNamespaces(
      namespaces,
      new Set(candidates.map(({ service }) => serviceKey(objectOf(service)))),
    );
    const scopes = this.#watched?.allNamespaces === true && namespaces.length > 0 ? ['*'] : namespaces;
    for (const kept of [this.#cachedLists, this.#lastKnown])
      for (const scope of kept.keys()) if (!scopes.includes(scope)) kept.delete(scope);
    const reads = scopes.map((scope) => {
      const read = this.#read(scope, signal);
      this.#endpoints.set(
        scope,
        read.catch(() => undefined),
      );
      return read;
    });
    const errors = await Promise.all(
      reads.map((read) =>
        read.then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    );
    const problems = await prepared;
    signal.throwIfAborted();
    return [
      ...(problems ?? []),
      ...scopes.flatMap((scope, index) => this.#deniedProblem(scope, errors[index]) ?? []),
    ];
  }

  async #read(scope: string, signal: AbortSignal): Promise<EndpointIndex> {
    try {
      const endpoints = await this.#readLatest(scope, signal);
      this.#lastKnown.set(scope, endpoints);
      return endpoints;
    } catch (error) {
      if (isDenied(error)) this.#lastKnown.delete(scope);
      throw error;
    }
  }

  addressesIn(place: Pick<ObjectKey, 'cluster' | 'namespace'>): ReadonlyMap<string, Addresses> | undefined {
    if (place.cluster !== HOME_CLUSTER) return undefined;
    const scope = this.#watched?.allNamespaces === true ? '*' : place.namespace;
    return this.#lastKnown.get(scope)?.addressesIn(place);
  }

  async #readLatest(scope: string, signal: AbortSignal): Promise<EndpointIndex> {
    const known = await this.#watched?.endpointsIn(scope, signal);
    if (known !== undefined) return known;
    const fault = this.#watched?.fault(scope);
    // If the watch was denied listing, do not try again in each pass.
    if (fault?.doing === 'list' && isDenied(fault.error)) throw fault.error;
    const before = this.#cachedLists.get(scope);
    if (before !== undefined && this.#now() - before.at < LIST_TTL) return before.endpoints;
    const endpoints = await this.#lists(() => readEndpoints(this.#kube, scope, signal));
    if (this.#watched !== undefined) this.#cachedLists.set(scope, { at: this.#now(), endpoints });
    return endpoints;
  }

  #deniedProblem(scope: string, error: unknown): Problem | undefined {
    const where = scope === '*' ? 'all namespaces' : `namespace ${scope}`;
    const place = scope === '*' ? 'with a ClusterRole' : 'there';
    if (isDenied(error))
      return {
        where,
        what: `listing EndpointSlices was denied, so ${this.#isProbing ? 'backends without a ready Pod are probed and time out, ' : ''}Services are compared by their selectors only, and none gets the credentials of another`,
        fix: `grant ${this.#watched === undefined ? '"list"' : '"list" and "watch"'} on endpointslices.discovery.k8s.io ${place}`,
      };
    if (isDenied(this.#watched?.fault(scope)?.error))
      return {
        where,
        what: 'watching EndpointSlices was denied, so changes of readiness appear later',
        fix: `grant "watch" on endpointslices.discovery.k8s.io ${place}`,
      };
    return undefined;
  }

  async #endpointsOf({ service }: Candidate): Promise<ServiceEndpoints | undefined> {
    const scope = this.#watched?.allNamespaces === true ? '*' : service.namespace;
    return (await this.#endpoints.get(scope))?.get(serviceKey(objectOf(service)));
  }

  async probe(candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
    if (!this.#isProbing) return this.#prober.probe(candidate, signal);
    const endpoints = await this.#endpointsOf(candidate);
    if (endpoints?.ready === false) return unhealthy('none of its endpoints is ready', 'not_ready');
    const named = namedPort(candidate);
    if (named === undefined) return this.#prober.probe(candidate, signal);
    const port = endpoints?.ports.get(named.name);
    if (port === undefined && this.#byService)
      return unhealthy(
        `its Pods listen on the named port ${named.target}, whose number cannot be read from its EndpointSlices`,
      );
    if (port === undefined || port === candidate.endpoint.port) return this.#prober.probe(candidate, signal);
    const found = { ...candidate, endpoint: { ...candidate.endpoint, port } };
    return { ...(await this.#prober.probe(found, signal)), port };
  }
}
