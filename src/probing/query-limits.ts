import pLimit, { type LimitFunction } from 'p-limit';
import { createFairSlots } from '../model/fair-slots.ts';

/** Maximum concurrent DNS queries for names, of all namespaces and of one. */
const MAX_QUERIES = 16;
const MAX_QUERIES_OF_NAMESPACE = 8;
/** Those of a namespace at first, and after a large answer. */
const FIRST_QUERIES = 2;
/** An answer with more addresses than this is large. A usual Service has one, and a headless one those of its Pods. */
const MANY_ADDRESSES = 256;
/** How long a name with a large answer waits for others of that kind, in milliseconds. */
const LARGE_MS = 10 * 60_000;
/** Maximum namespaces and names that are remembered. */
const MAX_REMEMBERED = 10_000;

/** Runs the query for a name of a namespace, as soon as it may start. */
export type QueryLimits = <T>(
  name: string,
  namespace: string,
  query: () => Promise<readonly T[]>,
) => Promise<readonly T[]>;

/** Puts an entry at the end of a map of limited size, and drops the first one if it is full. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}

/**
 * Limits concurrent DNS queries. A headless Service may have thousands of addresses: reading its answer takes tens of
 * milliseconds, and answers that arrive together are read in one turn of the event loop. So names with large answers are
 * queried one after the other. Others are queried a few at a time, and twice as many of a namespace after each small answer.
 * @param now milliseconds
 */
export function createQueryLimits(now: () => number = () => performance.now()): QueryLimits {
  const slots = createFairSlots(MAX_QUERIES);
  const slotForLarge = createFairSlots(1);
  const namespaces = new Map<string, LimitFunction>();
  const largeUntil = new Map<string, number>();
  return async (name, namespace, query) => {
    const until = largeUntil.get(name) ?? 0;
    const isKnownLarge = now() < until;
    const limit = namespaces.get(namespace) ?? pLimit(FIRST_QUERIES);
    remember(namespaces, namespace, limit);
    const isLarge = (answer: readonly unknown[]): boolean => answer.length > MANY_ADDRESSES;
    const asked = async (): Promise<Awaited<ReturnType<typeof query>>> => {
      const answer = await (isKnownLarge ? slotForLarge : slots).run(namespace, query);
      if (isLarge(answer)) remember(largeUntil, name, now() + LARGE_MS);
      // Before the next query starts.
      if (!isKnownLarge)
        limit.concurrency = isLarge(answer)
          ? FIRST_QUERIES
          : Math.min(MAX_QUERIES_OF_NAMESPACE, limit.concurrency * 2);
      return answer;
    };
    return isKnownLarge ? asked() : limit(asked);
  };
}
