import { canonicalAddress } from '../model/addresses.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { serviceKey } from '../model/service.ts';
import type { KubeClient } from './connection.ts';
import { EndpointIndex, MOST_ADDRESSES, type SliceState } from './endpoint-index.ts';
import { type Collection, listItems } from './list.ts';

interface EndpointSlice {
  readonly metadata?: {
    readonly namespace?: unknown;
    readonly labels?: Readonly<Record<string, unknown>> | null;
  };
  readonly endpoints?: unknown;
  readonly ports?: unknown;
}

type Endpoint = {
  readonly conditions?: { readonly ready?: unknown } | null;
  readonly addresses?: unknown;
} | null;
type Port = { readonly name?: unknown; readonly port?: unknown } | null;

/** Maximum number of ports per slice. A Service rarely has more than five. */
const MOST_PORTS = 20;

/** Maximum length of an address, which may be a DNS name, in characters. */
const LONGEST_ADDRESS = 253;

function portsOf(ports: unknown): Record<string, number> {
  const listed = (Array.isArray(ports) ? (ports as readonly Port[]) : []).slice(0, MOST_PORTS);
  return Object.fromEntries(
    listed.flatMap((port) =>
      typeof port?.port === 'number' ? [[typeof port.name === 'string' ? port.name : '', port.port]] : [],
    ),
  );
}

/** The addresses of all endpoints, including those that are not ready now. What cannot be kept makes the slice incomplete. */
function addressesOf(endpoints: readonly Endpoint[]): Pick<SliceState, 'addresses' | 'isCut'> {
  const found = new Set<string>();
  for (const endpoint of endpoints)
    for (const address of Array.isArray(endpoint?.addresses) ? endpoint.addresses : []) {
      if (typeof address !== 'string' || address.length > LONGEST_ADDRESS || /\s/.test(address))
        return { isCut: true };
      found.add(canonicalAddress(address));
      if (found.size > MOST_ADDRESSES) return { isCut: true };
    }
  return found.size === 0 ? {} : { addresses: [...found].sort().join(' ') };
}

/**
 * The EndpointSlices of a namespace, or of all namespaces (`*`). The API defines that an endpoint without a `ready` condition
 * counts as ready.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
 */
export function slicesIn(namespace: string, cluster = HOME_CLUSTER): Collection<SliceState> {
  const scope = namespace === '*' ? '' : `namespaces/${encodeURIComponent(namespace)}/`;
  return {
    path: `/apis/discovery.k8s.io/v1/${scope}endpointslices`,
    select(object) {
      const { metadata, endpoints, ports } = object as EndpointSlice;
      const labels = metadata?.labels ?? {};
      const name = labels['kubernetes.io/service-name'];
      const own = namespace === '*' ? metadata?.namespace : namespace;
      if (typeof name !== 'string' || typeof own !== 'string') return undefined;
      const listed: readonly Endpoint[] = Array.isArray(endpoints) ? endpoints : [];
      return {
        service: serviceKey({ cluster, namespace: own, name }),
        ready: listed.some((endpoint) => endpoint?.conditions?.ready !== false),
        ...addressesOf(listed),
        // The EndpointSlice controller sets this label for headless Services.
        ...(labels['service.kubernetes.io/headless'] === undefined ? {} : { ports: portsOf(ports) }),
      };
    },
  };
}

/** Reads the EndpointSlices of a namespace, or of all namespaces (`*`). @throws as `KubeClient.request` */
export async function readEndpoints(
  kube: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<EndpointIndex> {
  const { items } = await listItems(kube, slicesIn(namespace), signal);
  return new EndpointIndex(items);
}
