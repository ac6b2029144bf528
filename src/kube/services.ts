import type { Kube } from './connection.ts';

/** Most objects in one page. */
const PAGE = 500;

interface Page {
  readonly items?: readonly Record<string, unknown>[];
  readonly metadata?: { readonly continue?: string };
}

/**
 * All `v1.Service` objects of a namespace, or of all namespaces, page by page.
 * @param namespace its name, or `*`
 * @throws as `Kube.request`
 */
export async function listServices(
  kube: Kube,
  namespace: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>[]> {
  const path =
    namespace === '*' ? '/api/v1/services' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/services`;
  const items: Record<string, unknown>[] = [];
  let token = '';
  do {
    const query = new URLSearchParams({ limit: String(PAGE), ...(token === '' ? {} : { continue: token }) });
    const page = (await kube.request({ path: `${path}?${query}` }, signal)) as Page;
    items.push(...(page.items ?? []));
    token = page.metadata?.continue ?? '';
  } while (token !== '');
  return items;
}
