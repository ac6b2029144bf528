import { BadAnswerError, TooLongError } from './answer.ts';
import type { Kube } from './connection.ts';

/** One object as the API server gave it; what it holds beside its name is for the reader to check. */
export type KubeObject = Record<string, unknown>;

/** Most objects in one page, unless told. */
export const PAGE = 500;

/** One page of a list. */
export interface Page {
  readonly items: readonly KubeObject[];
  /** The version of the whole list, the same on each page: a watch goes on from there. */
  readonly resourceVersion: string;
}

interface ListAnswer {
  readonly items?: unknown;
  readonly metadata?: { readonly continue?: unknown; readonly resourceVersion?: unknown };
}

/** An answer that is no list must not pass for an empty one. */
function pageOf({ items, metadata }: ListAnswer): Page & { readonly token: string } {
  const { resourceVersion, continue: token } = metadata ?? {};
  const known = items ?? [];
  if (typeof resourceVersion !== 'string' || resourceVersion === '' || !Array.isArray(known))
    throw new BadAnswerError('the answer is not a list of the API');
  return { items: known, resourceVersion, token: typeof token === 'string' ? token : '' };
}

/** What of a collection is wanted, as in the API's query parameters. */
export interface Selection {
  /** Path of the collection. */
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** The query parameters of a selection. */
export function selectors({ fieldSelector, labelSelector }: Selection): Record<string, string> {
  return {
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}

/**
 * A collection page by page. A page that is too large for us is asked for again with fewer objects, so that large
 * objects cannot keep a list from being read.
 * @throws as `Kube.request`; ApiStatusError 410 when reading took so long that the server forgot the list's version
 */
export async function* listPages(
  kube: Kube,
  selection: Selection,
  signal: AbortSignal,
  pageSize: number = PAGE,
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
      answer = await kube.request({ path: `${selection.path}?${query}` }, signal);
    } catch (error) {
      if (!(error instanceof TooLongError) || size === 1) throw error;
      size = Math.ceil(size / 8);
      continue;
    }
    const page = pageOf((answer ?? {}) as ListAnswer);
    yield page;
    token = page.token;
    if (token === '') return;
  }
}

/** A collection, and what of its objects is kept. */
export interface Collection<T> extends Selection {
  /** What is kept of an object; `undefined` when it is of no interest. Must not throw, whatever the object holds. */
  select(object: KubeObject): T | undefined;
}

/** What is kept of a collection, by key, and the version at which it was so. */
export interface Kept<T> {
  readonly items: Map<string, T>;
  readonly resourceVersion: string;
}

/** `namespace/name`, or the name alone outside namespaces; `undefined` for what has no name. */
export function keyOf(object: KubeObject): string | undefined {
  const { namespace, name } = (object.metadata ?? {}) as {
    readonly namespace?: unknown;
    readonly name?: unknown;
  };
  if (typeof name !== 'string' || name === '') return undefined;
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}/${name}` : name;
}

/** Reads a collection; of each page only what is kept stays in memory. @throws as `listPages` */
export async function readKept<T>(
  kube: Kube,
  collection: Collection<T>,
  signal: AbortSignal,
  pageSize: number = PAGE,
): Promise<Kept<T>> {
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
