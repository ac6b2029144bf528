/** Shortest and longest delay, and how long it must be quiet for the shortest again, in milliseconds. */
const SHORTEST = 10;
const LONGEST = 160;
const QUIET = 250;
/** A loop may work a fifth of the time: after its work it rests four times as long, up to a second. */
const REST = 4;
/** Half of the time, if the reason is urgent. */
const URGENT_REST = 1;
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

/** A run of a loop, for the rest after it. Times are in milliseconds. */
export interface RunCost {
  readonly cost: number;
  /** Time since it ended. */
  readonly since: number;
  /** Whether other reasons for a run are likely to follow soon. Default: yes. */
  readonly isMoreExpected?: boolean;
  /** Whether there is a reason that should not wait for long. */
  readonly isUrgent?: boolean;
}

/**
 * How long a loop rests before its next run, in milliseconds. A cheap run is followed by the next one almost at once; a
 * costly one leaves most of the processor to others.
 */
export const restAfter = ({ cost, since, isMoreExpected = true, isUrgent = false }: RunCost): number => {
  if (!isMoreExpected && cost <= CHEAP) return 0;
  return Math.max(SHORTEST, Math.min(LONGEST_REST, cost * (isUrgent ? URGENT_REST : REST)) - since);
};
