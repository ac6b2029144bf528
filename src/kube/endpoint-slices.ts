import type { Kube } from './connection.ts';
import { type Collection, readKept } from './list.ts';

/** What is kept of an EndpointSlice. */
export interface SliceState {
  /** Name of the Service that it belongs to. */
  readonly service: string;
  /** Is any of its endpoints ready? */
  readonly ready: boolean;
}

interface EndpointSlice {
  readonly metadata?: { readonly labels?: Readonly<Record<string, unknown>> | null };
  readonly endpoints?: unknown;
}

type Endpoint = { readonly conditions?: { readonly ready?: unknown } | null } | null;

/**
 * The EndpointSlices of a namespace. An endpoint that does not say whether it is ready counts as ready, as the API
 * defines it.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
 */
export function slicesIn(namespace: string): Collection<SliceState> {
  return {
    path: `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`,
    select(object) {
      const { metadata, endpoints } = object as EndpointSlice;
      const service = metadata?.labels?.['kubernetes.io/service-name'];
      if (typeof service !== 'string') return undefined;
      const listed: readonly Endpoint[] = Array.isArray(endpoints) ? endpoints : [];
      return { service, ready: listed.some((endpoint) => endpoint?.conditions?.ready !== false) };
    },
  };
}

/** For each Service that has EndpointSlices, by its name: is any of its endpoints ready? */
export function readyByService(slices: Iterable<SliceState>): Map<string, boolean> {
  const services = new Map<string, boolean>();
  for (const { service, ready } of slices) services.set(service, ready || services.get(service) === true);
  return services;
}

/** Reads which Services of a namespace are ready, by their names. @throws as `Kube.request` */
export async function readyServices(
  kube: Kube,
  namespace: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, boolean>> {
  const { items } = await readKept(kube, slicesIn(namespace), signal);
  return readyByService(items.values());
}
