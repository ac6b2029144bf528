import { LRUCache } from 'lru-cache';
import { createFairSlots, type FairSlots, QueueFullError } from '../model/fair-slots.ts';

/** An answer and its lifetime. */
export interface Cached<Answer> {
  readonly answer: Answer;
  /** Lifetime in milliseconds; 0 or less is not cached. */
  readonly ttlMs: number;
}

export interface CacheLimits {
  /** Maximum number of cached answers. */
  readonly entries: number;
  /** Maximum number of concurrent requests. */
  readonly concurrency: number;
  /** Maximum number of queued requests. Above it, the last one of the client with the most is given up. */
  readonly queued: number;
  /** Timeout of a request in milliseconds, including the time in the queue. */
  readonly timeout: number;
}

export const LIMITS: CacheLimits = { entries: 10_000, concurrency: 32, queued: 256, timeout: 10_000 };

/** Fraction of its lifetime after which an answer is refreshed. */
const REFRESH_AFTER = 0.7;

interface CacheEntry<Answer> {
  readonly answer: Answer;
  readonly since: number;
  readonly until: number;
  /** Whether a refresh has started. It is tried once; if it fails, the answer stays until it expires. */
  refreshed: boolean;
}

type Ask<Answer> = (signal: AbortSignal) => Promise<Cached<Answer>>;

/** A request, and the client for which it is made. */
interface Question<Answer> {
  readonly client: string;
  readonly ask: Ask<Answer>;
}

const holdsAt = ({ since, until }: CacheEntry<unknown>, now: number): boolean => since <= now && now < until;

/**
 * A stale-while-revalidate cache for answers that cost a request. Concurrent callers of one key share a request. A key in use is
 * refreshed before it expires, so that no caller waits. A caller that disconnects does not cancel the shared request.
 */
export class StaleWhileRevalidateCache<Answer> {
  readonly #cache: LRUCache<string, CacheEntry<Answer>, Question<Answer>>;
  readonly #limits: CacheLimits;
  readonly #slots: FairSlots;
  readonly #now: () => number;
  readonly #closing: AbortSignal;

  /**
   * @param now milliseconds since the epoch; an answer from the future, after the clock was set back, has expired
   * @param closing aborts running requests
   */
  constructor(limits: CacheLimits, now: () => number, closing: AbortSignal) {
    this.#limits = limits;
    this.#slots = createFairSlots(limits.concurrency, limits.queued);
    this.#now = now;
    this.#closing = closing;
    this.#cache = new LRUCache({
      max: limits.entries,
      fetchMethod: (_, known, { context }) => this.#ask(known, context),
      // An evicted request still completes, and a failed refresh keeps the cached answer.
      ignoreFetchAbort: true,
      noDeleteOnFetchRejection: true,
    });
  }

  /**
   * The answer for a key, from the cache if it has not expired.
   * @param client requests are shared fairly between clients
   * @param ask requests the answer; the signal is aborted after the timeout
   * @returns undefined if too many requests are running
   * @throws what `ask` throws, which is not cached
   */
  async answer(key: string, client: string, ask: Ask<Answer>): Promise<Answer | undefined> {
    const known = this.#cache.peek(key);
    const isFresh = known !== undefined && holdsAt(known, this.#now());
    const refresh = isFresh && this.#mustRefresh(known);
    if (refresh) known.refreshed = true;
    const options = { context: { client, ask }, allowStale: isFresh, forceRefresh: !isFresh || refresh };
    return (await this.#cache.fetch(key, options))?.answer;
  }

  #mustRefresh({ since, until, refreshed }: CacheEntry<Answer>): boolean {
    return !refreshed && this.#now() - since > REFRESH_AFTER * (until - since);
  }

  /** @returns the entry to cache; `undefined` if too many requests are running */
  async #ask(
    known: CacheEntry<Answer> | undefined,
    { client, ask }: Question<Answer>,
  ): Promise<CacheEntry<Answer> | undefined> {
    const signal = AbortSignal.any([this.#closing, AbortSignal.timeout(this.#limits.timeout)]);
    const asked = this.#slots
      .run(client, () => ask(signal))
      .catch((error: unknown) => {
        if (error instanceof QueueFullError) return undefined;
        throw error;
      });
    const made = await asked;
    if (made === undefined) return undefined;
    const { answer, ttlMs } = made;
    const since = this.#now();
    const until = since + ttlMs;
    // A failure has a shorter lifetime, and does not replace an answer that is still valid.
    if (known !== undefined && holdsAt(known, since) && until < known.until) return known;
    return { answer, since, until, refreshed: false };
  }
}
