/** Shortest and longest pause, and how long it must be quiet for the shortest again, in milliseconds. */
const SHORTEST = 10;
const LONGEST = 160;
const QUIET = 1_000;

/**
 * How long to wait after a change for those that come with it: hardly at all for a single one, and longer the more passes
 * follow one another, so that a storm of changes makes few passes.
 */
export class Settling {
  #pause = SHORTEST;
  #last = Number.NEGATIVE_INFINITY;

  /** The pause before a pass, in milliseconds. @param now milliseconds of any steady clock */
  next(now: number): number {
    this.#pause = now - this.#last > QUIET ? SHORTEST : Math.min(LONGEST, this.#pause * 2);
    this.#last = now;
    return this.#pause;
  }
}
