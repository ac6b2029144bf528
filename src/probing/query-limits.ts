import pLimit, { type LimitFunction } from 'p-limit';
import { createFairSlots } from '../model/fair-slots.ts';

/** Maximum concurrent DNS queries, of all namespaces and of one. */
const MAX_QUERIES = 16;
const MAX_QUERIES_OF_NAMESPACE = 8;
/** Those of a namespace at first, and after a large answer. */
const FIRST_QUERIES = 2;
/** An answer with more addresses than this is large. A usual Service has one, and a headless one those of its Pods. */
const MANY_ADDRESSES = 256;
/** How long a large answer counts, in milliseconds. */
const LARGE_MS = 10 * 60_000;
/** Maximum names and namespaces that are remembered of each kind. */
const MAX_REMEMBERED = 20_000;

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
 * queried one after the other, and so are new names of a namespace with such a name. All others are queried a few at a time,
 * and twice as many of a namespace after each small answer.
 * @param now milliseconds
 */
export function createQueryLimits(now: () => number = () => performance.now()): QueryLimits {
  const slots = createFairSlots(MAX_QUERIES);
  const oneByOne = createFairSlots(1);
  const limits = new Map<string, LimitFunction>();
  const small = new Map<string, true>();
  /** Until when the large answers of a namespace count. */
  const largeUntil = new Map<string, number>();
  return async (name, namespace, query) => {
    const limit = limits.get(namespace) ?? pLimit(FIRST_QUERIES);
    remember(limits, namespace, limit);
    const asked = async (isSlow: boolean): Promise<Awaited<ReturnType<typeof query>>> => {
      const answer = await (isSlow ? oneByOne : slots).run(namespace, query);
      if (answer.length > MANY_ADDRESSES) {
        small.delete(name);
        remember(largeUntil, namespace, now() + LARGE_MS);
        limit.concurrency = FIRST_QUERIES;
      } else {
        remember(small, name, true);
        if (!isSlow) limit.concurrency = Math.min(MAX_QUERIES_OF_NAMESPACE, limit.concurrency * 2);
      }
      return answer;
    };
    const mustWait = (): boolean => now() < (largeUntil.get(namespace) ?? 0) && !small.has(name);
    // What waits for the limit may have become slow meanwhile.
    return mustWait() ? asked(true) : limit(async () => asked(mustWait()));
  };
}
