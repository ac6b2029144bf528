import type { Kube } from './connection.ts';
import { listAll } from './list.ts';

/**
 * All `v1.Service` objects of a namespace, or of all namespaces.
 * @param namespace its name, or `*`
 * @throws as `Kube.request`
 */
export function listServices(
  kube: Kube,
  namespace: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>[]> {
  const path =
    namespace === '*' ? '/api/v1/services' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/services`;
  return listAll(kube, path, signal);
}
