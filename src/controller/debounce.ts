/** Minimum and maximum delay, and how long it must be quiet for the minimum again, in milliseconds. */
const SHORTEST = 10;
const LONGEST = 160;
const QUIET = 250;
/** A loop works at most a fifth of the time on average: after a run it rests four times as long, up to a second. */
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
/** Maximum rest that a loop saves up while it is idle, in milliseconds, so that the few runs after a single change need none. */
const MOST_SAVED = 800;

/** The reasons for the next run. */
interface RunReasons {
  /** Whether further reasons are likely to follow soon. */
  readonly isMoreExpected: boolean;
  /** Whether there is an urgent one. */
  readonly isUrgent: boolean;
}

/**
 * How long a loop rests between its runs. After a cheap run the next one starts almost at once; after costly ones, most of the
 * CPU is left to others. All times are in milliseconds of a monotonic clock.
 */
export class DutyCycle {
  #cost = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  /** The rest that was saved up before the last run. */
  #saved = MOST_SAVED;

  /** Records a run that has just ended. @param cost how long it took */
  ended(cost: number, now: number): void {
    const rested = now - cost - this.#endedAt - REST * this.#cost;
    this.#saved = Math.max(0, Math.min(MOST_SAVED, this.#saved + rested));
    this.#cost = cost;
    this.#endedAt = now;
  }

  /** How long to rest before the next run. */
  before({ isMoreExpected, isUrgent }: RunReasons, now: number): number {
    if (!isMoreExpected && this.#cost <= CHEAP) return 0;
    const due = Math.min(LONGEST_REST, this.#cost * (isUrgent ? URGENT_REST : REST)) - this.#saved;
    return Math.max(SHORTEST, due - (now - this.#endedAt));
  }
}
