import { createFairSlots } from '../model/fair-slots.ts';

/** Concurrent queries of a lane at first and after a large answer. */
const FIRST_QUERIES = 2;
/** The most for names that had small answers, and for new ones. */
const MAX_USUAL = 16;
const MAX_FRESH = 6;
/** An answer with more addresses than this is large. A usual Service has one, and a headless one those of its Pods. */
const MANY_ADDRESSES = 256;
/** How long a name with a large answer waits for others of that kind, in milliseconds. */
const LARGE_MS = 10 * 60_000;
/** Maximum names that are remembered of each kind. */
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

const isLarge = (answer: readonly unknown[]): boolean => answer.length > MANY_ADDRESSES;

/** Queries in turns that namespaces share fairly, one more at once after each small answer, and few after a large one. */
class Lane {
  readonly #turns = createFairSlots(1);
  #allowed = FIRST_QUERIES;
  #running = 0;
  #ended = Promise.withResolvers<void>();
  readonly #most: number;

  /** @param most concurrent queries */
  constructor(most: number) {
    this.#most = most;
  }

  async run<T>(namespace: string, query: () => Promise<readonly T[]>): Promise<readonly T[]> {
    await this.#turns.run(namespace, async () => {
      while (this.#running >= this.#allowed) await this.#ended.promise;
      this.#running++;
    });
    try {
      const answer = await query();
      this.#allowed = isLarge(answer) ? FIRST_QUERIES : Math.min(this.#most, this.#allowed + 1);
      return answer;
    } finally {
      this.#running--;
      this.#ended.resolve();
      this.#ended = Promise.withResolvers();
    }
  }
}

/**
 * Limits concurrent DNS queries. A headless Service may have thousands of addresses: reading its answer takes tens of
 * milliseconds, and answers that arrive together are read in one turn of the event loop. So names with large answers are
 * queried one after the other, and others a few at a time. New names do not delay those that had small answers.
 * @param now milliseconds
 */
export function createQueryLimits(now: () => number = () => performance.now()): QueryLimits {
  const [fresh, usual] = [new Lane(MAX_FRESH), new Lane(MAX_USUAL)];
  const large = createFairSlots(1);
  const usualNames = new Map<string, true>();
  const largeUntil = new Map<string, number>();
  return async (name, namespace, query) => {
    const isKnownLarge = now() < (largeUntil.get(name) ?? 0);
    const lane = usualNames.has(name) ? usual : fresh;
    const answer = await (isKnownLarge ? large.run(namespace, query) : lane.run(namespace, query));
    if (isLarge(answer)) {
      usualNames.delete(name);
      remember(largeUntil, name, now() + LARGE_MS);
    } else if (!isKnownLarge) remember(usualNames, name, true);
    return answer;
  };
}
