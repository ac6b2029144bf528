import type { Kube } from './connection.ts';

/** Most objects in one page. */
const PAGE = 500;

interface Page {
  readonly items?: readonly Record<string, unknown>[];
  readonly metadata?: { readonly continue?: string };
}

/** All objects of a collection, page by page. @throws as `Kube.request` */
export async function listAll(
  kube: Kube,
  path: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>[]> {
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
