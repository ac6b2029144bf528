/** How often the same external change is reverted without a delay, and how often any change is. */
const SAME_AT_ONCE = 3;
const ANY_AT_ONCE = 20;

/** Delay before each further revert, in milliseconds. */
const DELAY = 60_000;

/**
 * Limits how often external changes are reverted. A manual edit is reverted at once. A program that keeps writing is
 * overruled at most once a minute. All external changes share one token bucket, because several programs may write in turn.
 */
export class DriftRateLimiter {
  #content: string | undefined;
  #times = 0;
  #last = Number.NEGATIVE_INFINITY;
  #tokens = ANY_AT_ONCE;
  #filledAt = Number.NEGATIVE_INFINITY;

  /** Milliseconds until a change to this content may be reverted. @param now a monotonic clock, in milliseconds */
  delayFor(content: string, now: number): number {
    const isRepeated = content === this.#content && this.#times >= SAME_AT_ONCE;
    const same = isRepeated ? DELAY - (now - this.#last) : 0;
    const any = this.#tokens >= 1 ? 0 : DELAY - (now - this.#filledAt);
    return Math.max(same, any);
  }

  /** Records that a change to this content was reverted. */
  recordRevert(content: string, now: number): void {
    this.#fill(now);
    this.#tokens = Math.max(0, this.#tokens - 1);
    const isAgain = content === this.#content && now - this.#last < 2 * DELAY;
    this.#times = isAgain ? this.#times + 1 : 1;
    this.#content = content;
    this.#last = now;
  }

  /** Adds a token for each delay that has passed. */
  #fill(now: number): void {
    const more = Math.floor((now - this.#filledAt) / DELAY);
    const isFull = this.#tokens + more >= ANY_AT_ONCE;
    this.#filledAt = isFull ? now : this.#filledAt + more * DELAY;
    this.#tokens = isFull ? ANY_AT_ONCE : this.#tokens + more;
  }
}
