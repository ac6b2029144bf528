/** How often the same foreign content is reverted at once, and how often any. */
const SAME_AT_ONCE = 3;
const ANY_AT_ONCE = 20;

/** Pause before each further time, in milliseconds. */
const PAUSE = 60_000;

/**
 * Tells a person who edits by hand from programs that write again and again: what a person wrote is reverted at once, and
 * a program is not fought with more than once a minute. Several programs that write in turn are one matter, so all
 * foreign content together has a token bucket.
 */
export class Fights {
  #content: string | undefined;
  #times = 0;
  #last = Number.NEGATIVE_INFINITY;
  #tokens = ANY_AT_ONCE;
  #filledAt = Number.NEGATIVE_INFINITY;

  /** Milliseconds until a foreign content may be reverted. @param now milliseconds of any steady clock */
  pause(content: string, now: number): number {
    this.#fill(now);
    const again = content === this.#content && now - this.#last < PAUSE;
    const same = again && this.#times >= SAME_AT_ONCE ? PAUSE - (now - this.#last) : 0;
    const any = this.#tokens >= 1 ? 0 : PAUSE - (now - this.#filledAt);
    return Math.max(same, any);
  }

  /** Says that a foreign content was reverted. */
  reverted(content: string, now: number): void {
    this.#fill(now);
    this.#tokens = Math.max(0, this.#tokens - 1);
    const again = content === this.#content && now - this.#last < 2 * PAUSE;
    this.#times = again ? this.#times + 1 : 1;
    this.#content = content;
    this.#last = now;
  }

  /** Puts a token back for each pause that is over. */
  #fill(now: number): void {
    const more = Math.floor((now - this.#filledAt) / PAUSE);
    const isFull = this.#tokens + more >= ANY_AT_ONCE;
    this.#filledAt = isFull ? now : this.#filledAt + more * PAUSE;
    this.#tokens = isFull ? ANY_AT_ONCE : this.#tokens + more;
  }
}
