import type { KubeClient } from './connection.ts';
import { type KubeObject, type Selection, selectors } from './list.ts';
import { InvalidResponseError } from './response.ts';
import { eventError } from './status.ts';

/** A watch event. A bookmark contains only a resourceVersion. */
export type WatchEvent =
  | { readonly type: 'set' | 'delete'; readonly object: KubeObject; readonly resourceVersion: string }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

export interface WatchOptions {
  /** The watch starts after this version. */
  readonly resourceVersion: string;
  /** Duration of the watch (`timeoutSeconds`). */
  readonly seconds: number;
  /** Timeout between two bytes, in milliseconds. */
  readonly idleTimeout: number;
}

/** Time that the server has to end the watch itself, in milliseconds. */
const GRACE = 15_000;

interface RawEvent {
  readonly type?: unknown;
  readonly object?: KubeObject & { readonly metadata?: { readonly resourceVersion?: unknown } };
}

/**
 * Watches a collection. Resolves when the response begins. The events end when the server ends the watch.
 * @throws ApiStatusError if the server rejects the watch, and from the iteration for an `ERROR` event; 410 means that the version has
 * expired. Other errors as `KubeClient.stream`.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export async function watch(
  kube: KubeClient,
  selection: Selection,
  { resourceVersion, seconds, idleTimeout }: WatchOptions,
  signal: AbortSignal,
): Promise<AsyncGenerator<WatchEvent>> {
  const query = new URLSearchParams({
    ...selectors(selection),
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion,
    timeoutSeconds: String(seconds),
  });
  const path = `${selection.path}?${query}`;
  return events(await kube.stream({ path, timeout: seconds * 1000 + GRACE, idleTimeout }, signal));
}

async function* events(lines: AsyncGenerator<unknown>): AsyncGenerator<WatchEvent> {
  for await (const line of lines) yield eventOf((line ?? {}) as RawEvent);
}

function eventOf({ type, object }: RawEvent): WatchEvent {
  if (type === 'ERROR') throw eventError(object);
  const resourceVersion = object?.metadata?.resourceVersion;
  if (object === undefined || typeof resourceVersion !== 'string' || resourceVersion === '')
    throw new InvalidResponseError('the server sent an event without a version');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'set', object, resourceVersion };
    case 'DELETED':
      return { type: 'delete', object, resourceVersion };
    case 'BOOKMARK':
      return { type: 'bookmark', resourceVersion };
    default:
      throw new InvalidResponseError(
        `the server sent an event of an unknown type: ${JSON.stringify(type)?.slice(0, 60)}`,
      );
  }
}
