import { BadAnswerError } from './answer.ts';
import type { Kube } from './connection.ts';
import { type KubeObject, type Selection, selectors } from './list.ts';
import { eventError } from './status.ts';

/** One event of a watch. A bookmark tells only how far the server has come. */
export type WatchEvent =
  | { readonly type: 'set' | 'delete'; readonly object: KubeObject; readonly resourceVersion: string }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

export interface WatchOptions {
  /** The version after which events are wanted. */
  readonly resourceVersion: string;
  /** When the server is to end the watch, in seconds. */
  readonly seconds: number;
  /** Longest time without a byte, in milliseconds. */
  readonly idle: number;
}

/** How much later than the server we end a watch ourselves, in milliseconds. */
const GRACE = 15_000;

interface RawEvent {
  readonly type?: unknown;
  readonly object?: KubeObject & { readonly metadata?: { readonly resourceVersion?: unknown } };
}

/**
 * Watches a collection. Resolves when the server begins to answer; the events end when the server ends them.
 * @throws ApiStatusError when the server refuses; also from the iteration, for an `ERROR` event. Others as
 * `Kube.stream`. 410 means that the version is too old.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export async function watch(
  kube: Kube,
  selection: Selection,
  { resourceVersion, seconds, idle }: WatchOptions,
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
  return events(await kube.stream({ path, longest: seconds * 1000 + GRACE, idle }, signal));
}

async function* events(lines: AsyncGenerator<unknown>): AsyncGenerator<WatchEvent> {
  for await (const line of lines) yield eventOf((line ?? {}) as RawEvent);
}

function eventOf({ type, object }: RawEvent): WatchEvent {
  if (type === 'ERROR') throw eventError(object);
  const resourceVersion = object?.metadata?.resourceVersion;
  if (object === undefined || typeof resourceVersion !== 'string' || resourceVersion === '')
    throw new BadAnswerError('the server sent an event without a version');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'set', object, resourceVersion };
    case 'DELETED':
      return { type: 'delete', object, resourceVersion };
    case 'BOOKMARK':
      return { type: 'bookmark', resourceVersion };
    default:
      throw new BadAnswerError(
        `the server sent an event of an unknown type: ${JSON.stringify(type)?.slice(0, 60)}`,
      );
  }
}
