import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';

/** An answer, and how long it holds. */
export interface Cached<Answer> {
  readonly answer: Answer;
  /** In milliseconds; nothing is remembered where it is 0 or less. */
  readonly ttlMs: number;
}

export interface CacheLimits {
  /** Most answers that are remembered. */
  readonly entries: number;
  /** Most questions that are asked at once. */
  readonly concurrency: number;
  /** Most questions that wait to be asked. */
  readonly queued: number;
  /** Longest time for a question, the waiting included, in milliseconds. */
  readonly timeout: number;
}

export const LIMITS: CacheLimits = { entries: 10_000, concurrency: 32, queued: 256, timeout: 10_000 };

/** The part of its time after which an answer is refreshed while it still holds. */
const REFRESH_AFTER = 0.7;

interface CacheEntry<Answer> {
  readonly answer: Answer;
  readonly since: number;
  readonly until: number;
  /** Whether a refresh was begun: it is tried once, and a failed one leaves the answer until its time is over. */
  refreshed: boolean;
}

type Ask<Answer> = (signal: AbortSignal) => Promise<Cached<Answer>>;

const holdsAt = ({ since, until }: CacheEntry<unknown>, now: number): boolean => since <= now && now < until;

/**
 * A stale-while-revalidate cache of answers that cost a request, each for a short time. Requests for one key at the same
 * time share one question. A key that is in use is refreshed before its time is over, so that nobody waits for that.
 * Those who wait cannot cancel the question, so one who goes away spoils it for nobody.
 */
export class StaleWhileRevalidateCache<Answer> {
  readonly #cache: LRUCache<string, CacheEntry<Answer>, Ask<Answer>>;
  readonly #limits: CacheLimits;
  readonly #slots: LimitFunction;
  readonly #now: () => number;
  readonly #closing: AbortSignal;

  /**
   * @param now milliseconds since the epoch; an answer from the future, after the clock was set back, does not hold
   * @param closing ends the questions that are being asked
   */
  constructor(limits: CacheLimits, now: () => number, closing: AbortSignal) {
    this.#limits = limits;
    this.#slots = pLimit(limits.concurrency);
    this.#now = now;
    this.#closing = closing;
    this.#cache = new LRUCache({
      max: limits.entries,
      fetchMethod: (_, known, { context: ask }) => this.#ask(known, ask),
      // A question that is pushed out of the cache is still answered, and a failed refresh leaves what is known.
      ignoreFetchAbort: true,
      noDeleteOnFetchRejection: true,
    });
  }

  /**
   * The answer for a key, from the cache where that still holds.
   * @param ask finds it out; the signal is aborted when that takes too long
   * @returns nothing where too many questions are being asked
   * @throws what `ask` throws, which is not remembered
   */
  async answer(key: string, ask: Ask<Answer>): Promise<Answer | undefined> {
    const known = this.#cache.peek(key);
    const isFresh = known !== undefined && holdsAt(known, this.#now());
    const refresh = isFresh && this.#mustRefresh(known);
    if (refresh) known.refreshed = true;
    const options = { context: ask, allowStale: isFresh, forceRefresh: !isFresh || refresh };
    return (await this.#cache.fetch(key, options))?.answer;
  }

  #mustRefresh({ since, until, refreshed }: CacheEntry<Answer>): boolean {
    return !refreshed && this.#now() - since > REFRESH_AFTER * (until - since);
  }

  /** @returns what is to be remembered; nothing where too many questions are being asked */
  async #ask(
    known: CacheEntry<Answer> | undefined,
    ask: Ask<Answer>,
  ): Promise<CacheEntry<Answer> | undefined> {
    const { concurrency, queued, timeout } = this.#limits;
    if (this.#slots.activeCount + this.#slots.pendingCount >= concurrency + queued) return undefined;
    const signal = AbortSignal.any([this.#closing, AbortSignal.timeout(timeout)]);
    const { answer, ttlMs } = await this.#slots(() => ask(signal));
    const since = this.#now();
    const until = since + ttlMs;
    // Not knowing is not knowing better: what holds for a shorter time does not replace what still holds.
    if (known !== undefined && holdsAt(known, since) && until < known.until) return known;
    return { answer, since, until, refreshed: false };
  }
}
