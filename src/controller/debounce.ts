/** Shortest and longest delay, and how long it must be quiet for the shortest again, in milliseconds. */
const SHORTEST = 10;
const LONGEST = 160;
const QUIET = 250;
/** A loop may work a fifth of the time: after its work it rests four times as long. */
const REST = 4;

/**
 * How long to wait after a first change for those that come with it: hardly at all when it was quiet, and longer the more
 * closely runs follow one another, so that a burst of changes makes few runs.
 */
export class AdaptiveDebounce {
  #delay = SHORTEST;
  #last = Number.NEGATIVE_INFINITY;

  /** The delay before a run, in milliseconds. @param now milliseconds of any steady clock */
  next(now: number): number {
    this.#delay = now - this.#last > QUIET ? SHORTEST : Math.min(LONGEST, this.#delay * 2);
    this.#last = now + this.#delay;
    return this.#delay;
  }
}

/**
 * How long a loop waits before its next run, by what the last one cost, in milliseconds. What costs little runs nearly at
 * once, and what costs much leaves most of the processor to others.
 * @param cost milliseconds that the last run worked
 * @param since milliseconds since it ended
 */
export const restAfter = (cost: number, since: number): number =>
  Math.max(SHORTEST, Math.min(LONGEST, cost * REST) - since);
