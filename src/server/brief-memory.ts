import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';

/** An answer, and how long it holds. */
export interface Held<Answer> {
  readonly answer: Answer;
  /** In milliseconds; nothing is remembered where it is 0 or less. */
  readonly holds: number;
}

export interface BriefMemoryLimits {
  /** Most answers that are remembered. */
  readonly remembered: number;
  /** Most questions that are asked at once. */
  readonly atOnce: number;
  /** Most questions that wait to be asked. */
  readonly waiting: number;
  /** Longest time for a question, the waiting included, in milliseconds. */
  readonly longest: number;
}

export const LIMITS: BriefMemoryLimits = { remembered: 10_000, atOnce: 32, waiting: 256, longest: 10_000 };

/** The part of its time after which an answer is refreshed while it still holds. */
const REFRESHED = 0.7;

interface Known<Answer> {
  readonly answer: Answer;
  readonly since: number;
  readonly until: number;
  /** Whether a refresh was begun: it is tried once, and a failed one leaves the answer until its time is over. */
  refreshed: boolean;
}

type Ask<Answer> = (signal: AbortSignal) => Promise<Held<Answer>>;

const holdsAt = ({ since, until }: Known<unknown>, now: number): boolean => since <= now && now < until;

/**
 * A stale-while-revalidate cache of answers that cost a request, each for a short time. Requests for one key at the same
 * time share one question. A key that is in use is refreshed before its time is over, so that nobody waits for that.
 * Those who wait cannot cancel the question, so one who goes away spoils it for nobody.
 */
export class BriefMemory<Answer> {
  readonly #cache: LRUCache<string, Known<Answer>, Ask<Answer>>;
  readonly #limits: BriefMemoryLimits;
  readonly #slots: LimitFunction;
  readonly #now: () => number;
  readonly #closing: AbortSignal;

  /**
   * @param now milliseconds since the epoch; an answer from the future, after the clock was set back, does not hold
   * @param closing ends the questions that are being asked
   */
  constructor(limits: BriefMemoryLimits, now: () => number, closing: AbortSignal) {
    this.#limits = limits;
    this.#slots = pLimit(limits.atOnce);
    this.#now = now;
    this.#closing = closing;
    this.#cache = new LRUCache({
      max: limits.remembered,
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
    const holds = known !== undefined && holdsAt(known, this.#now());
    const refresh = holds && this.#mustRefresh(known);
    if (refresh) known.refreshed = true;
    const options = { context: ask, allowStale: holds, forceRefresh: !holds || refresh };
    return (await this.#cache.fetch(key, options))?.answer;
  }

  #mustRefresh({ since, until, refreshed }: Known<Answer>): boolean {
    return !refreshed && this.#now() - since > REFRESHED * (until - since);
  }

  /** @returns what is to be remembered; nothing where too many questions are being asked */
  async #ask(known: Known<Answer> | undefined, ask: Ask<Answer>): Promise<Known<Answer> | undefined> {
    const { atOnce, waiting, longest } = this.#limits;
    if (this.#slots.activeCount + this.#slots.pendingCount >= atOnce + waiting) return undefined;
    const signal = AbortSignal.any([this.#closing, AbortSignal.timeout(longest)]);
    const { answer, holds } = await this.#slots(() => ask(signal));
    const since = this.#now();
    const until = since + holds;
    // Not knowing is not knowing better: what holds for a shorter time does not replace what still holds.
    if (known !== undefined && holdsAt(known, since) && until < known.until) return known;
    return { answer, since, until, refreshed: false };
  }
}
