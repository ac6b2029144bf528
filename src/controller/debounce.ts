/** Minimum and maximum delay, and how long it must be quiet for the minimum again, in milliseconds. */
const SHORTEST = 10;
const LONGEST = 160;
const QUIET = 250;
/** A loop works at most a fifth of the time: after a run it rests four times as long, up to a second. */
const REST = 4;
/** Half of the time, if the reason is urgent. */
const URGENT_REST = 1;
const LONGEST_REST = 1_000;

/**
 * The delay after a first event, to include related ones: minimal after a quiet time, and longer the more frequent runs are,
 * so that a burst of changes causes few runs.
 */
export class AdaptiveDebounce {
  #delay = SHORTEST;
  #last = Number.NEGATIVE_INFINITY;

  /** The delay before a run, in milliseconds. @param now a monotonic clock, in milliseconds */
  next(now: number): number {
    this.#delay = now - this.#last > QUIET ? SHORTEST : Math.min(LONGEST, this.#delay * 2);
    this.#last = now + this.#delay;
    return this.#delay;
  }
}

/** A run that costs no more than this, in milliseconds, is not delayed if no more events are expected. */
const CHEAP = 25;

/** A run of a loop, as input for the rest after it. Times are in milliseconds. */
export interface RunCost {
  readonly cost: number;
  /** Time since it ended. */
  readonly since: number;
  /** Whether further reasons for a run are likely to follow soon. Default: yes. */
  readonly isMoreExpected?: boolean;
  /** Whether there is an urgent reason. */
  readonly isUrgent?: boolean;
}

/**
 * How long a loop rests before its next run, in milliseconds. After a cheap run the next one starts almost at once; after a
 * costly one, most of the CPU is left to others.
 */
export const restAfter = ({ cost, since, isMoreExpected = true, isUrgent = false }: RunCost): number => {
  if (!isMoreExpected && cost <= CHEAP) return 0;
  return Math.max(SHORTEST, Math.min(LONGEST_REST, cost * (isUrgent ? URGENT_REST : REST)) - since);
};
