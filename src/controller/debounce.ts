/** Shortest and longest delay, and how long it must be quiet for the shortest again, in milliseconds. */
const SHORTEST = 10;
const LONGEST = 160;
const QUIET = 250;
/** A loop may work a fifth of the time: after its work it rests four times as long, up to a second. */
const REST = 4;
const LONGEST_REST = 1_000;

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

/** What costs at most this need not wait for more, where no more is expected, in milliseconds. */
const CHEAP = 25;

/**
 * How long a loop waits before its next run, by what the last one cost, in milliseconds. What costs little runs nearly at
 * once, and what costs much leaves most of the processor to others.
 * @param cost milliseconds that the last run worked
 * @param since milliseconds since it ended
 * @param isMoreExpected whether other reasons for a run are likely to follow soon
 */
export const restAfter = (cost: number, since: number, isMoreExpected = true): number =>
  !isMoreExpected && cost <= CHEAP ? 0 : Math.max(SHORTEST, Math.min(LONGEST_REST, cost * REST) - since);
