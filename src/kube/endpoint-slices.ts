import type { Kube } from './connection.ts';
import { listAll } from './list.ts';

interface EndpointSlice {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean | null } }[] | null;
}

/**
 * For each Service of a namespace that has EndpointSlices: is any of its endpoints ready? An endpoint that does not
 * say counts as ready, as the API defines it.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
 * @throws as `Kube.request`
 */
export async function readyServices(
  kube: Kube,
  namespace: string,
  signal: AbortSignal,
): Promise<Map<string, boolean>> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`;
  const ready = new Map<string, boolean>();
  for (const item of (await listAll(kube, path, signal)) as EndpointSlice[]) {
    const service = item.metadata?.labels?.['kubernetes.io/service-name'];
    if (service === undefined) continue;
    const any = (item.endpoints ?? []).some(({ conditions }) => conditions?.ready !== false);
    ready.set(service, any || ready.get(service) === true);
  }
  return ready;
}
