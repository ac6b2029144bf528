import { RateLimiter } from '../model/rate-limit.ts';

/** Shortest time between two lines about the same failure, in milliseconds. */
const INTERVAL = 60_000;
/** Lines about changing failures that may come at once; further ones follow at one per interval. */
const BURST = 3;

/**
 * Decides which failures of an activity that is retried are worth a line: the first, one with another reason, and the same
 * one once a minute while it lasts.
 */
export class FailureStreak {
  readonly #now: () => number;
  readonly #lines: RateLimiter;
  #failures = 0;
  /** The reason of the last line of this streak, and when it was written. */
  #last: { readonly reason: string; readonly at: number } | undefined;

  /** @param now a monotonic clock, in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#lines = new RateLimiter({ rate: 1000 / INTERVAL, burst: BURST, clients: 1, now });
  }

  /** Counts a failure. @returns whether to log it */
  add(reason: string): boolean {
    this.#failures += 1;
    const at = this.#now();
    if (this.#last?.reason === reason && at - this.#last.at < INTERVAL) return false;
    if (!this.#lines.take('').allowed) return false;
    this.#last = { reason, at };
    return true;
  }

  /** Ends the streak after a success. @returns the number of its failures; 0 if none of them was logged */
  end(): number {
    const failures = this.#last === undefined ? 0 : this.#failures;
    this.#failures = 0;
    this.#last = undefined;
    return failures;
  }
}
