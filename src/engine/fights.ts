/** How often the same foreign change is reverted at once. */
const AT_ONCE = 3;

/** Pause before each further time, and how long a foreign change is remembered, in milliseconds. */
const PAUSE = 60_000;

/**
 * Tells a person who edits by hand from a program that writes the same thing again and again: what a person wrote is
 * reverted at once, and a program is not fought with more than once a minute.
 */
export class Fights {
  #content: string | undefined;
  #times = 0;
  #last = 0;

  /** Milliseconds until a foreign content may be reverted. @param now milliseconds of any steady clock */
  pause(content: string, now: number): number {
    const again = content === this.#content && now - this.#last < PAUSE;
    return again && this.#times >= AT_ONCE ? PAUSE - (now - this.#last) : 0;
  }

  /** Says that a foreign content was reverted. */
  reverted(content: string, now: number): void {
    const again = content === this.#content && now - this.#last < 2 * PAUSE;
    this.#times = again ? this.#times + 1 : 1;
    this.#content = content;
    this.#last = now;
  }
}
