import type { KubeClient } from './connection.ts';
import { InvalidResponseError, ResponseTooLargeError } from './response.ts';

/** An object from the API server. Callers must validate its fields. */
export type KubeObject = Record<string, unknown>;

/** Default number of objects per page. */
export const PAGE_SIZE = 500;

/** One page of a list. */
export interface Page {
  readonly items: readonly KubeObject[];
  /** The version of the whole list, from which a watch can start. */
  readonly resourceVersion: string;
}

interface ListAnswer {
  readonly items?: unknown;
  readonly metadata?: { readonly continue?: unknown; readonly resourceVersion?: unknown };
}

/** @throws InvalidResponseError if the response is not a list, so that it does not pass for an empty one */
function pageOf({ items, metadata }: ListAnswer): Page & { readonly token: string } {
  const { resourceVersion, continue: token } = metadata ?? {};
  const known = items ?? [];
  if (typeof resourceVersion !== 'string' || resourceVersion === '' || !Array.isArray(known))
    throw new InvalidResponseError('the answer is not a list of the API');
  return { items: known, resourceVersion, token: typeof token === 'string' ? token : '' };
}

/** A collection, with optional selectors. */
export interface Selection {
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Media type of the pages. Default: whole objects, as JSON. */
  readonly accept?: string;
}

/** The query parameters of a selection. */
export function selectors({ fieldSelector, labelSelector }: Selection): Record<string, string> {
  return {
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}

const accepting = ({ accept }: Selection): Pick<Selection, 'accept'> =>
  accept === undefined ? {} : { accept };

/**
 * Lists a collection page by page. If a page is too large, it is requested again with fewer objects, so that large objects cannot
 * prevent a list.
 * @throws as `KubeClient.request`; ApiStatusError 410 if the list expired before its last page
 */
export async function* listPages(
  kube: KubeClient,
  selection: Selection,
  signal: AbortSignal,
  pageSize: number = PAGE_SIZE,
): AsyncGenerator<Page, void, undefined> {
  let size = pageSize;
  let token = '';
  for (;;) {
    const query = new URLSearchParams({
      ...selectors(selection),
      limit: String(size),
      ...(token === '' ? {} : { continue: token }),
    });
    let answer: unknown;
    try {
      answer = await kube.request({ path: `${selection.path}?${query}`, ...accepting(selection) }, signal);
    } catch (error) {
      if (!(error instanceof ResponseTooLargeError) || size === 1) throw error;
      size = Math.ceil(size / 8);
      continue;
    }
    const page = pageOf((answer ?? {}) as ListAnswer);
    yield page;
    token = page.token;
    if (token === '') return;
  }
}

/** A collection, and a function that reduces its objects. */
export interface Collection<T> extends Selection {
  /** Returns the part of an object to keep; undefined to ignore it. Must not throw, whatever the object contains. */
  select(object: KubeObject): T | undefined;
}

/** The selected items of a collection by key, and the version of the list. */
export interface ListResult<T> {
  readonly items: Map<string, T>;
  readonly resourceVersion: string;
}

/** `namespace/name`, or only the name for cluster-scoped objects; undefined without a name. */
export function keyOf(object: KubeObject): string | undefined {
  const { namespace, name } = (object.metadata ?? {}) as {
    readonly namespace?: unknown;
    readonly name?: unknown;
  };
  if (typeof name !== 'string' || name === '') return undefined;
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}/${name}` : name;
}

/** Lists a collection, and keeps only the selected part of its objects in memory. @throws as `listPages` */
export async function listItems<T>(
  kube: KubeClient,
  collection: Collection<T>,
  signal: AbortSignal,
  pageSize: number = PAGE_SIZE,
): Promise<ListResult<T>> {
  const items = new Map<string, T>();
  let resourceVersion = '';
  for await (const page of listPages(kube, collection, signal, pageSize)) {
    resourceVersion = page.resourceVersion;
    for (const object of page.items) {
      const key = keyOf(object);
      const item = collection.select(object);
      if (key !== undefined && item !== undefined) items.set(key, item);
    }
  }
  return { items, resourceVersion };
}
