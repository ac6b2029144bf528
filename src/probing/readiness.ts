import pLimit from 'p-limit';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { EndpointIndex, ServiceEndpoints } from '../kubernetes/endpoint-index.ts';
import { readEndpoints } from '../kubernetes/endpoint-slices.ts';
import { isDenied } from '../kubernetes/status.ts';
import type { WatchedReadiness } from '../kubernetes/watch-readiness.ts';
import type { AddressBook, Addresses } from '../model/addresses.ts';
import type { Candidate, Problem, Verdict } from '../model/discovery.ts';
import { HOME_CLUSTER, type ObjectKey } from '../model/key.ts';
import { serviceKey } from '../model/service.ts';
import type { Prober } from './prober.ts';

/** Most lists at a time. */
const LISTS = 8;
/** How long a list counts where the watch is not in step, in milliseconds. Passes may come several times a second. */
const LISTED_FOR = 5_000;

export interface ReadinessOptions {
  /** Watches the slices; without it, and where it is not in step, they are listed. */
  readonly watched?: WatchedReadiness;
  /**
   * The route goes by the Service, and the API server finds its Pods' port. Then an answer does not prove that the port of a
   * headless Service's URL is the right one.
   */
  readonly byService?: boolean;
  /** False where nothing is asked: then a Service is not unhealthy either, and slices only tell where Services lead to. */
  readonly isProbing?: boolean;
  /** Milliseconds of a clock that never goes back. */
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

/** The name of the Service's port and of its Pods' port, where a number has to be found for a headless Service's name. */
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
 * A prober that looks at EndpointSlices first: a Service none of whose addresses is ready is unhealthy, and is not asked.
 * It also finds the number of a headless Service's port whose target has a name. Where slices may not be read, or there are
 * none, everything is asked. Beside that it knows where Services lead to.
 */
export class ReadinessProber implements Prober, AddressBook {
  readonly #kube: KubeClient;
  readonly #prober: Prober;
  readonly #watched: WatchedReadiness | undefined;
  readonly #byService: boolean;
  readonly #isProbing: boolean;
  readonly #now: () => number;
  readonly #lists = pLimit(LISTS);
  /** By namespace, or by `*` for all. A probe waits for those of its own namespace, and for no others. */
  readonly #endpoints = new Map<string, Promise<EndpointIndex | undefined>>();
  /** The last that is known, by namespace, or by `*` for all: a list that fails once makes no addresses unknown. */
  readonly #books = new Map<string, EndpointIndex>();
  readonly #listed = new Map<string, { readonly at: number; readonly endpoints: EndpointIndex }>();

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
    // The slices are those of the home cluster.
    const here = candidates.filter(({ service }) => service.cluster === HOME_CLUSTER);
    const namespaces = [...new Set(here.map(({ service }) => service.namespace))].sort();
    this.#endpoints.clear();
    this.#watched?.setNamespaces(namespaces, new Set(candidates.map(({ service }) => serviceKey(service))));
    const scopes = this.#watched?.allNamespaces === true && namespaces.length > 0 ? ['*'] : namespaces;
    for (const kept of [this.#listed, this.#books])
      for (const scope of kept.keys()) if (!scopes.includes(scope)) kept.delete(scope);
    const reads = scopes.map((scope) => {
      const read = this.#read(scope, signal);
      this.#endpoints.set(
        scope,
        read.catch(() => undefined),
      );
      return read;
    });
    const results = await Promise.allSettled(reads);
    signal.throwIfAborted();
    return scopes.flatMap((scope, index) => {
      const result = results[index];
      return this.#denied(scope, result?.status === 'rejected' ? result.reason : undefined) ?? [];
    });
  }

  async #read(scope: string, signal: AbortSignal): Promise<EndpointIndex> {
    try {
      const endpoints = await this.#latest(scope, signal);
      this.#books.set(scope, endpoints);
      return endpoints;
    } catch (error) {
      if (isDenied(error)) this.#books.delete(scope);
      throw error;
    }
  }

  addressesIn(place: Pick<ObjectKey, 'cluster' | 'namespace'>): ReadonlyMap<string, Addresses> | undefined {
    if (place.cluster !== HOME_CLUSTER) return undefined;
    const scope = this.#watched?.allNamespaces === true ? '*' : place.namespace;
    return this.#books.get(scope)?.addressesIn(place);
  }

  async #latest(scope: string, signal: AbortSignal): Promise<EndpointIndex> {
    const known = await this.#watched?.endpointsIn(scope, signal);
    if (known !== undefined) return known;
    const fault = this.#watched?.fault(scope);
    // What the watch was just denied is not asked for in each pass.
    if (fault?.doing === 'list' && isDenied(fault.error)) throw fault.error;
    const before = this.#listed.get(scope);
    if (before !== undefined && this.#now() - before.at < LISTED_FOR) return before.endpoints;
    const endpoints = await this.#lists(() => readEndpoints(this.#kube, scope, signal));
    if (this.#watched !== undefined) this.#listed.set(scope, { at: this.#now(), endpoints });
    return endpoints;
  }

  #denied(scope: string, error: unknown): Problem | undefined {
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
    return (await this.#endpoints.get(scope))?.get(serviceKey(service));
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
        `its Pods listen at a port that they call ${named.target}, and its EndpointSlices, which have the number, cannot be read`,
      );
    if (port === undefined || port === candidate.endpoint.port) return this.#prober.probe(candidate, signal);
    const found = { ...candidate, endpoint: { ...candidate.endpoint, port } };
    return { ...(await this.#prober.probe(found, signal)), port };
  }
}
