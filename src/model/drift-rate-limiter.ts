/** How often the same external change is reverted without a delay, and how often any change is. */
const SAME_AT_ONCE = 3;
const ANY_AT_ONCE = 20;

/**
 * Limits how often external changes are reverted. A manual edit is reverted at once. A program that keeps writing is
 * overruled at most once per delay. All external changes share one token bucket, because several programs may write in turn.
 */
export class DriftRateLimiter {
  readonly #delay: number;
  #content: string | undefined;
  #times = 0;
  #last = Number.NEGATIVE_INFINITY;
  #tokens = ANY_AT_ONCE;
  #filledAt = Number.NEGATIVE_INFINITY;

  /** @param delay the delay before each further revert, in milliseconds */
  constructor(delay: number) {
    this.#delay = delay;
  }

  /** Milliseconds until a change to this content may be reverted. @param now a monotonic clock, in milliseconds */
  delayFor(content: string, now: number): number {
    const isRepeated = content === this.#content && this.#times >= SAME_AT_ONCE;
    const same = isRepeated ? this.#delay - (now - this.#last) : 0;
    const any = this.#tokens >= 1 ? 0 : this.#delay - (now - this.#filledAt);
    return Math.max(0, same, any);
  }

  /** Records that a change to this content was reverted. */
  recordRevert(content: string, now: number): void {
    this.#fill(now);
    this.#tokens = Math.max(0, this.#tokens - 1);
    const isAgain = content === this.#content && now - this.#last < 2 * this.#delay;
    this.#times = isAgain ? this.#times + 1 : 1;
    this.#content = content;
    this.#last = now;
  }

  /** Adds a token for each delay that has passed. */
  #fill(now: number): void {
    const more = Math.floor((now - this.#filledAt) / this.#delay);
    const isFull = this.#tokens + more >= ANY_AT_ONCE;
    this.#filledAt = isFull ? now : this.#filledAt + more * this.#delay;
    this.#tokens = isFull ? ANY_AT_ONCE : this.#tokens + more;
  }
}
