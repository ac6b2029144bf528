import pLimit, { type LimitFunction } from 'p-limit';
import { createFairSlots } from '../model/fair-slots.ts';

/** Maximum concurrent DNS queries for names, of all namespaces and of one. */
const MAX_QUERIES = 32;
const MAX_QUERIES_OF_NAMESPACE = 16;
/** Queries of a namespace that has not answered yet. */
const FIRST_QUERIES = 4;
/** An answer with more addresses than this is large. A usual Service has one, and a headless one those of its Pods. */
const MANY_ADDRESSES = 64;
/** Maximum namespaces that are remembered. */
const MAX_NAMESPACES = 10_000;

/** Runs the query for a name of a namespace, as soon as it may start. */
export type QueryLimits = <T>(namespace: string, query: () => Promise<readonly T[]>) => Promise<readonly T[]>;

/**
 * Limits concurrent DNS queries. A headless Service may have thousands of addresses: reading such an answer takes
 * milliseconds, and answers that arrive together are read in one turn of the event loop. So a namespace with a large answer
 * gets one query at a time, and after each small one twice as many as before.
 */
export function createQueryLimits(): QueryLimits {
  const slots = createFairSlots(MAX_QUERIES);
  const namespaces = new Map<string, LimitFunction>();
  const limitOf = (namespace: string): LimitFunction => {
    const limit = namespaces.get(namespace) ?? pLimit(FIRST_QUERIES);
    // The last ones used stay.
    namespaces.delete(namespace);
    namespaces.set(namespace, limit);
    const [oldest] = namespaces.keys();
    if (namespaces.size > MAX_NAMESPACES && oldest !== undefined) namespaces.delete(oldest);
    return limit;
  };
  return (namespace, query) => {
    const limit = limitOf(namespace);
    return limit(async () => {
      const answer = await slots.run(namespace, query);
      limit.concurrency =
        answer.length > MANY_ADDRESSES ? 1 : Math.min(MAX_QUERIES_OF_NAMESPACE, limit.concurrency * 2);
      return answer;
    });
  };
}
