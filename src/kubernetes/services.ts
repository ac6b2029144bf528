/**
 * Path of the `v1.Service` collection of a namespace, or of all namespaces.
 * @param namespace its name, or `*`
 */
export function servicesPath(namespace: string): string {
  return namespace === '*'
    ? '/api/v1/services'
    : `/api/v1/namespaces/${encodeURIComponent(namespace)}/services`;
}
