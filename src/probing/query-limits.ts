import pLimit, { type LimitFunction } from 'p-limit';
import { createFairSlots } from '../model/fair-slots.ts';

/** Maximum concurrent DNS queries, of all namespaces and of one. */
const MAX_QUERIES = 16;
const MAX_QUERIES_OF_NAMESPACE = 8;
/** Of these, maximum queries of namespaces with slow names. */
const MAX_SLOW_QUERIES = 12;
/** A query that takes longer, or fails after this time, is slow. In milliseconds. */
const SLOW_MS = 500;
/** Those of a namespace at first, and after a large answer. */
const FIRST_QUERIES = 2;
/** An answer with more addresses than this is large. A usual Service has one, and a headless one those of its Pods. */
const MANY_ADDRESSES = 256;
/** How long a large answer, and a slow one, count, in milliseconds. */
const LARGE_MS = 10 * 60_000;
const SLOW_COUNTS_MS = 60_000;
/** Maximum names and namespaces that are remembered of each kind. */
const MAX_REMEMBERED = 20_000;

/** Maximum concurrent queries for names that lead elsewhere. They may all be slow. */
const MAX_QUERIES_ELSEWHERE = 8;

/** A name to query. */
export interface QueriedName {
  readonly name: string;
  readonly namespace: string;
  /** Its Service leads to a name that its owner chose, with DNS servers that may be hostile. */
  readonly isElsewhere: boolean;
}

/** Runs the query for a name of a namespace, as soon as it may start. */
export type QueryLimits = <T>(name: QueriedName, query: () => Promise<readonly T[]>) => Promise<readonly T[]>;

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
 * and twice as many of a namespace after each small answer. Namespaces with slow names leave some queries to others, and names
 * that lead elsewhere do not occupy any of these.
 * @param now milliseconds
 */
export function createQueryLimits(now: () => number = () => performance.now()): QueryLimits {
  const slots = createFairSlots(MAX_QUERIES);
  const slowSlots = createFairSlots(MAX_SLOW_QUERIES);
  const oneByOne = createFairSlots(1);
  const elsewhere = createFairSlots(MAX_QUERIES_ELSEWHERE);
  const limits = new Map<string, LimitFunction>();
  const small = new Map<string, true>();
  /** Until when the large answers of a namespace count. */
  const largeUntil = new Map<string, number>();
  /** Until when its slow ones do. */
  const slowUntil = new Map<string, number>();
  /** Runs a query among those of all namespaces. */
  const inSlot = <T>(namespace: string, query: () => Promise<T>): Promise<T> => {
    const timed = async (): Promise<T> => {
      const began = now();
      try {
        return await query();
      } finally {
        if (now() - began > SLOW_MS) remember(slowUntil, namespace, now() + SLOW_COUNTS_MS);
      }
    };
    const run = (): Promise<T> => slots.run(namespace, timed);
    return now() < (slowUntil.get(namespace) ?? 0) ? slowSlots.run(namespace, run) : run();
  };
  return async ({ name, namespace, isElsewhere }, query) => {
    if (isElsewhere) return elsewhere.run(namespace, query);
    const limit = limits.get(namespace) ?? pLimit(FIRST_QUERIES);
    remember(limits, namespace, limit);
    const asked = async (isLarge: boolean): Promise<Awaited<ReturnType<typeof query>>> => {
      const answer = await (isLarge ? oneByOne.run(namespace, query) : inSlot(namespace, query));
      if (answer.length > MANY_ADDRESSES) {
        small.delete(name);
        remember(largeUntil, namespace, now() + LARGE_MS);
        limit.concurrency = FIRST_QUERIES;
      } else {
        remember(small, name, true);
        if (!isLarge) limit.concurrency = Math.min(MAX_QUERIES_OF_NAMESPACE, limit.concurrency * 2);
      }
      return answer;
    };
    const mustWait = (): boolean => now() < (largeUntil.get(namespace) ?? 0) && !small.has(name);
    // What waits for the limit may have become large meanwhile.
    return mustWait() ? asked(true) : limit(async () => asked(mustWait()));
  };
}
